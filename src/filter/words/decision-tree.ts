/** Finds in which of many intervals A lies, by halving: 1000 addresses take about ten comparisons, not a thousand. */

import type { Interval } from '../bpf/interval-set.js';
import { UINT32_MAX } from '../bpf/intervals.js';
import { JMP } from '../bpf/isa.js';
import type { ClassicAssembler, ClassicLabel } from './classic-assembler.js';

/** An interval, and where to go when A lies in it. */
export interface Segment {
  interval: Interval;
  to: ClassicLabel;
}

/**
 * Emits the search.
 * @param segments in order, without overlaps
 * @param miss where to go from all other numbers
 * @param max the largest number that A can be
 */
export function searchIntervals(
  asm: ClassicAssembler,
  segments: readonly Segment[],
  miss: ClassicLabel,
  max: number = UINT32_MAX,
): void {
  search(asm, segments, miss, [0, max]);
}

/** @param known the interval in which A lies at this point */
function search(asm: ClassicAssembler, segments: readonly Segment[], miss: ClassicLabel, known: Interval): void {
  const [only] = segments;
  if (only === undefined) {
    asm.jump(miss);
    return;
  }
  if (segments.length === 1) {
    single(asm, only, miss, known);
    return;
  }
  const middle = segments.length >> 1;
  const pivot = (segments[middle] as Segment).interval[0];
  const [left, right] = [asm.label(), asm.label()];
  asm.branch(JMP.JGE, pivot, right, left);
  asm.place(left);
  search(asm, segments.slice(0, middle), miss, [known[0], pivot - 1]);
  asm.place(right);
  search(asm, segments.slice(middle), miss, [pivot, known[1]]);
}

function single(asm: ClassicAssembler, { interval, to }: Segment, miss: ClassicLabel, known: Interval): void {
  const [first, last] = interval;
  if (first === last && known[0] < known[1]) {
    asm.branch(JMP.JEQ, first, to, miss);
    return;
  }
  const [high, low] = [asm.label(), asm.label()];
  if (first > known[0]) asm.branch(JMP.JGE, first, high, miss);
  asm.place(high);
  if (last < known[1]) asm.branch(JMP.JGT, last, miss, low);
  asm.place(low);
  asm.jump(to);
}
