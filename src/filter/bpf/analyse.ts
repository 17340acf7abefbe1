/**
 * What is known about a classic program before it is translated: which instructions can be reached, in which intervals
 * A, X and M[] lie, and which of them are read later. Classic jumps go forward only, so one pass each way is enough.
 */
import type { ClassicInsn } from '../../native/filter-binding.js';
import { ANY, arithmetic, constant, isConstant, join, meet, type Range, UINT32_MAX, ZERO } from './intervals.js';
import { ALU, CLASS, JMP, loadBytes, MEMWORDS, MODE, SRC } from './isa.js';

/** Intervals on entry to an instruction. */
export interface State {
  a: Range;
  x: Range;
  m: readonly Range[];
}

/** Bits of {@link Analysis.live}: A, X, then M[0] upwards. */
export const LIVE_A = 1;
export const LIVE_X = 2;
export const liveM = (word: number): number => 4 << word;

export interface Analysis {
  /** Undefined for an instruction that no packet can reach. */
  states: (State | undefined)[];
  /** Instructions that may follow: none after RET, one, or [when true, when false]. Impossible ones are left out. */
  next: number[][];
  /** The registers and words that are read before they are written, on entry to each instruction. */
  live: number[];
}

/** The value that a load at a place in the frame gives for every packet; undefined when that depends on the packet. */
export type FixedBytes = (offset: number, bytes: number) => number | undefined;
const NONE_FIXED: FixedBytes = () => undefined;

/** Makes both passes over a program that validate.ts has accepted. */
export function analyse(program: readonly ClassicInsn[], fixed: FixedBytes = NONE_FIXED): Analysis {
  const states: (State | undefined)[] = new Array(program.length);
  const next: number[][] = new Array(program.length).fill([]);
  states[0] = { a: ZERO, x: ZERO, m: new Array(MEMWORDS).fill(ZERO) };
  program.forEach((insn, at) => {
    const state = states[at];
    if (!state) return;
    const edges = step(insn, at, state, fixed);
    next[at] = edges.map(([to]) => to);
    for (const [to, after] of edges) states[to] = merge(states[to], after);
  });
  return { states, next, live: liveness(program, next) };
}

function merge(before: State | undefined, state: State): State {
  if (!before) return state;
  return {
    a: join(before.a, state.a),
    x: join(before.x, state.x),
    m: before.m.map((range, word) => join(range, state.m[word] as Range)),
  };
}

type Edge = [to: number, after: State];

function step(insn: ClassicInsn, at: number, state: State, fixed: FixedBytes): Edge[] {
  const { code, k } = insn;
  switch (code & 7) {
    case CLASS.LD:
      return goOn(at, loaded(insn, state, fixed), (a) => ({ ...state, a }));
    case CLASS.LDX:
      return goOn(at, loaded(insn, state, fixed), (x) => ({ ...state, x }));
    case CLASS.ST:
      return [[at + 1, { ...state, m: stored(state.m, k, state.a) }]];
    case CLASS.STX:
      return [[at + 1, { ...state, m: stored(state.m, k, state.x) }]];
    case CLASS.ALU:
      return goOn(at, arithmetic(code & 0xf0, state.a, operand(code, k, state)), (a) => ({ ...state, a }));
    case CLASS.JMP:
      return (code & 0xf0) === JMP.JA ? [[at + 1 + k, state]] : branch(insn, at, state);
    case CLASS.MISC:
      return [[at + 1, (code & 0x80) === 0 ? { ...state, x: state.a } : { ...state, a: state.x }]];
    default:
      return [];
  }
}

const stored = (words: readonly Range[], k: number, value: Range): Range[] =>
  words.map((word, at) => (at === k ? value : word));

const operand = (code: number, k: number, state: State): Range =>
  (code & SRC.X) === 0 || (code & 0xf0) === ALU.NEG ? constant(k) : state.x;

function goOn(at: number, value: Range | undefined, after: (value: Range) => State): Edge[] {
  return value ? [[at + 1, after(value)]] : [];
}

/** The interval of what a load leaves; undefined when it reads beyond any packet, which ends the program. */
function loaded({ code, k }: ClassicInsn, state: State, fixed: FixedBytes): Range | undefined {
  switch (code & 0xe0) {
    case MODE.IMM:
      return constant(k);
    case MODE.MEM:
      return state.m[k];
    case MODE.LEN:
      return ANY;
    case MODE.MSH:
      return beyond(k) ? undefined : { min: 0, max: 60 };
    case MODE.ABS:
      return fromPacket(constant(k), loadBytes(code), fixed);
    default:
      return fromPacket({ min: state.x.min + k, max: state.x.max + k }, loadBytes(code), fixed);
  }
}

function fromPacket(offset: Range, bytes: number, fixed: FixedBytes): Range | undefined {
  if (beyond(offset.min)) return undefined;
  const value = isConstant(offset) ? fixed(offset.min, bytes) : undefined;
  return value === undefined ? { min: 0, max: 2 ** (8 * bytes) - 1 } : constant(value);
}

/**
 * The greatest offset that a program may ask for. `rte_pktmbuf_read` adds offset and length in 32 bits; where the sum
 * wraps, it would read far outside the packet, in the primary. And JITs compare signed values. So the limit stays well
 * below half of the 32-bit range, with room for the bytes of tags and tunnel headers.
 */
export const OFFSET_MAX = 0x3fff_ffff;
const beyond = (offset: number): boolean => offset > OFFSET_MAX;

function branch(insn: ClassicInsn, at: number, state: State): Edge[] {
  const { code, jt, jf, k } = insn;
  const other = operand(code, k, state);
  const edges: Edge[] = [];
  const taken = whenTrue(code & 0xf0, state.a, other);
  const not = whenFalse(code & 0xf0, state.a, other);
  if (taken) edges.push([at + 1 + jt, { ...state, a: taken }]);
  if (not && !(taken && jt === jf)) edges.push([at + 1 + jf, { ...state, a: not }]);
  // Both outcomes lead to one place: one edge is left, with what held before the comparison.
  if (edges.length === 1 && taken && not) return [[at + 1 + jt, state]];
  return edges;
}

/** The interval of A where `A op b` holds; undefined when it never does. */
function whenTrue(op: number, a: Range, b: Range): Range | undefined {
  switch (op) {
    case JMP.JEQ:
      return meet(a, b);
    case JMP.JGT:
      return b.min === UINT32_MAX ? undefined : meet(a, { min: b.min + 1, max: UINT32_MAX });
    case JMP.JGE:
      return meet(a, { min: b.min, max: UINT32_MAX });
    default:
      return a.max === 0 || b.max === 0 || (isConstant(a) && isConstant(b) && (a.min & b.min) === 0) ? undefined : a;
  }
}

/** The interval of A where `A op b` does not hold; undefined when it always does. */
function whenFalse(op: number, a: Range, b: Range): Range | undefined {
  switch (op) {
    case JMP.JEQ:
      return isConstant(a) && isConstant(b) && a.min === b.min ? undefined : a;
    case JMP.JGT:
      return meet(a, { min: 0, max: b.max });
    case JMP.JGE:
      return b.max === 0 ? undefined : meet(a, { min: 0, max: b.max - 1 });
    default:
      return isConstant(a) && isConstant(b) && (a.min & b.min) !== 0 ? undefined : a;
  }
}

function liveness(program: readonly ClassicInsn[], next: number[][]): number[] {
  const live: number[] = new Array(program.length).fill(0);
  for (let at = program.length - 1; at >= 0; at--) {
    const after = (next[at] as number[]).reduce((bits, to) => bits | (live[to] as number), 0);
    const { reads, writes } = uses(program[at] as ClassicInsn);
    // A comparison whose outcome is known is not emitted, so it reads nothing.
    const isFolded = ((program[at] as ClassicInsn).code & 7) === CLASS.JMP && (next[at] as number[]).length < 2;
    live[at] = (after & ~writes) | (isFolded ? 0 : reads);
  }
  return live;
}

/** The registers and words that one instruction reads and overwrites, as bits. */
function uses({ code, k }: ClassicInsn): { reads: number; writes: number } {
  const mode = code & 0xe0;
  const x = (code & SRC.X) === 0 ? 0 : LIVE_X;
  switch (code & 7) {
    case CLASS.LD:
      return { reads: mode === MODE.IND ? LIVE_X : mode === MODE.MEM ? liveM(k) : 0, writes: LIVE_A };
    case CLASS.LDX:
      return { reads: mode === MODE.MEM ? liveM(k) : 0, writes: LIVE_X };
    case CLASS.ST:
      return { reads: LIVE_A, writes: liveM(k) };
    case CLASS.STX:
      return { reads: LIVE_X, writes: liveM(k) };
    case CLASS.ALU:
      return { reads: LIVE_A | ((code & 0xf0) === ALU.NEG ? 0 : x), writes: LIVE_A };
    case CLASS.JMP:
      return { reads: (code & 0xf0) === JMP.JA ? 0 : LIVE_A | x, writes: 0 };
    case CLASS.RET:
      return { reads: (code & 0x18) === 0x10 ? LIVE_A : 0, writes: 0 };
    default:
      return (code & 0x80) === 0 ? { reads: LIVE_A, writes: LIVE_X } : { reads: LIVE_X, writes: LIVE_A };
  }
}
