/** What is asked of a forwarder to a TAP interface. */
import { availableParallelism } from 'node:os';
import type { FilterProgram } from '../filter/compile.js';
import { MAX_THREADS } from '../protocol/limits.js';

/** What only this backend is asked. */
export interface TapChoices {
  name: string | undefined;
  /** Empty: where dpcap runs. */
  netns: string;
  /** One interface for each direction. */
  split: boolean;
  /** Packets a second; 0: no limit. */
  maxRate: number;
  /** That write to the interface; undefined: as many as are of use. */
  threads: number | undefined;
  directions: ('rx' | 'tx')[];
  bufferBytes: number | undefined;
  detach: boolean;
  filter: FilterProgram | undefined;
}

/** The primary's thread and our drain thread, at least, want one each. */
const CORES_FOR_OTHERS = 2;

/** How many threads write to the interface: what was asked for, or one for each rx queue where there are cores. */
export function threadsFor(
  { maxRate, threads }: Pick<TapChoices, 'maxRate' | 'threads'>,
  rxQueues: number | undefined,
  cores: number = availableParallelism(),
): number {
  if (threads !== undefined) return threads;
  return maxRate > 0 ? 1 : Math.max(1, Math.min(rxQueues ?? 1, cores - CORES_FOR_OTHERS, MAX_THREADS));
}
