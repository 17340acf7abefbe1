/** Whether processes keep to what they have: samples of their memory, descriptors and threads, and the rule. */
import { readdirSync, readFileSync } from 'node:fs';

/** One process at one moment. */
export interface Sample {
  memoryMb: number;
  descriptors: number;
  threads: number;
}

/** Memory may grow by so much from the second third of the samples to the last: for what the allocators keep to themselves. */
const [MOST_SHARE, MOST_MB] = [0.03, 3];

export function sampleOf(pid: number): Sample {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const kib = Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]);
  const [descriptors = 0, threads = 0] = ['fd', 'task'].map((what) => readdirSync(`/proc/${pid}/${what}`).length);
  return { memoryMb: kib / 1024, descriptors, threads };
}

/** A process over time: for each third the median of its memory, and the most descriptors and threads. */
export interface Thirds {
  memoryMb: [number, number, number];
  descriptors: [number, number, number];
  threads: [number, number, number];
}

/** Pure. @param samples nine or more, in order */
export function thirdsOf(samples: readonly Sample[]): Thirds {
  const size = Math.floor(samples.length / 3);
  const parts = [samples.slice(0, size), samples.slice(size, 2 * size), samples.slice(2 * size)];
  const of = (figure: (part: readonly Sample[]) => number): [number, number, number] => {
    const [first = Number.NaN, second = Number.NaN, last = Number.NaN] = parts.map(figure);
    return [first, second, last];
  };
  return {
    memoryMb: of((part) => median(part.map(({ memoryMb }) => memoryMb))),
    descriptors: of((part) => Math.max(...part.map(({ descriptors }) => descriptors))),
    threads: of((part) => Math.max(...part.map(({ threads }) => threads))),
  };
}

/**
 * What grows although it should not: the last third against the second. The first is left out, in which pools fill and code is
 * compiled. Pure.
 */
export function growthIn(name: string, { memoryMb, descriptors, threads }: Thirds): string[] {
  const [, before, after] = memoryMb;
  const grownMb = after - before;
  const isGrown = grownMb > Math.max(before * MOST_SHARE, MOST_MB);
  return [
    ...(isGrown ? [`${name}: memory grows by ${grownMb.toFixed(1)} MiB, from ${before.toFixed(1)} MiB`] : []),
    ...(descriptors[2] > descriptors[1]
      ? [`${name}: descriptors grow from ${descriptors[1]} to ${descriptors[2]}`]
      : []),
    ...(threads[2] > threads[1] ? [`${name}: threads grow from ${threads[1]} to ${threads[2]}`] : []),
  ];
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
