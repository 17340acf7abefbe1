/**
 * What a whole filter should say: libpcap's verdict on the frame that each stage is about, made by the tag stripper and the
 * decapsulator of this folder; and the tags that `--vlan` asks for.
 */

import { encodeClassic } from '../../src/filter/bpf/isa.js';
import type { PipelineOptions, Stage } from '../../src/filter/codegen/pipeline.js';
import type { ClassicInsn } from '../../src/native/filter-binding.js';
import { type Offloaded, vlansOf } from './absent-tags.js';
import { readsLength, runClassic } from './classic-machine.js';
import { innerFrame } from './decapsulate.js';
import { binding } from './native.js';
import { stripTags } from './strip-tags.js';

type Meaning = Pick<PipelineOptions, 'vlan' | 'inner'>;

/** 1 or 0 for each frame. */
export function expectedVerdicts(stages: readonly Stage[], meaning: Meaning, frames: readonly Offloaded[]): number[] {
  const verdicts = frames.map((frame) => Number(hasTag(frame, meaning.vlan)));
  for (const stage of stages) {
    stageVerdicts(stage, meaning.inner, frames).forEach((verdict, at) => {
      verdicts[at] = (verdicts[at] as number) & verdict;
    });
  }
  const { inner } = meaning;
  if (inner === undefined) return verdicts;
  return verdicts.map((verdict, at) => (innerFrame((frames[at] as Offloaded).data, inner) ? verdict : 0));
}

function hasTag(frame: Offloaded, vlan: Meaning['vlan']): boolean {
  if (vlan === undefined) return true;
  const ids = vlansOf(frame);
  if (vlan === 'none') return ids.length === 0;
  return ids.some((id) => vlan.some(([first, last]) => id >= first && id <= last));
}

/** Where a tunnel carries bare IP, reading an address is no match. Lengths are those with tags. */
function stageVerdicts({ classic, view }: Stage, inner: number | undefined, frames: readonly Offloaded[]): number[] {
  const seen = frames.map(({ wire, data }) => {
    const found =
      inner === undefined
        ? { frame: view === 'wire' ? wire : data, bare: false, length: wire.length }
        : innerFrame(data, inner);
    if (!found) return { frame: new Uint8Array(0), bare: false, length: 0 };
    return { length: found.frame.length, ...found, frame: view === 'wire' ? found.frame : stripTags(found.frame) };
  });
  const verdicts = libpcapVerdicts(classic, seen);
  return seen.map(({ frame, bare, length }, at) =>
    bare ? runClassic(classic, frame, 12, length) : (verdicts[at] as number),
  );
}

/** libpcap's interpreter where it can be asked: it takes a frame's length for what there is of it. */
function libpcapVerdicts(classic: readonly ClassicInsn[], seen: { frame: Uint8Array; length: number }[]): number[] {
  if (readsLength(classic)) return seen.map(({ frame, length }) => runClassic(classic, frame, 0, length));
  return [
    ...binding().runClassic(
      encodeClassic(classic),
      seen.map(({ frame }) => frame),
    ),
  ];
}

/** What a program says about frames whose tags are skipped. */
export const verdictsWithoutTags = (classic: readonly ClassicInsn[], frames: readonly Uint8Array[]): number[] =>
  libpcapVerdicts(
    classic,
    frames.map((frame) => ({ frame: stripTags(frame), length: frame.length })),
  );
