/** The options of a forwarder to a TAP interface. */
import { availableParallelism } from 'node:os';
import type { FilterProgram } from '../filter/compile.js';
import { MAX_THREADS } from '../protocol/limits.js';
import type { Backend } from '../protocol/request.js';

/** The options that only this backend has. */
export interface TapChoices {
  name: string | undefined;
  /** Network namespace of the interface. Empty: the one in which dpcap runs. */
  netns: string;
  /** Whether each direction has an interface of its own. */
  split: boolean;
  /** Packets a second; 0: no limit. */
  maxRate: number;
  /** Number of threads that write to the interface; undefined: as many as are of use. */
  threads: number | undefined;
  directions: ('rx' | 'tx')[];
  bufferBytes: number | undefined;
  /** How packets are got, and the budget of probes: see CaptureRequest. */
  via: Backend;
  probeBudget: number;
  detach: boolean;
  filter: FilterProgram | undefined;
}

/** At least the primary's thread and dpcap's drain thread need one core each. */
const CORES_FOR_OTHERS = 2;

/**
 * The number of threads that write to the interface: what was asked for, or one for each rx queue where there are
 * cores; one with a rate limit.
 */
export function threadsFor(
  { maxRate, threads }: Pick<TapChoices, 'maxRate' | 'threads'>,
  rxQueues: number | undefined,
  cores: number = availableParallelism(),
): number {
  if (threads !== undefined) return threads;
  return maxRate > 0 ? 1 : Math.max(1, Math.min(rxQueues ?? 1, cores - CORES_FOR_OTHERS, MAX_THREADS));
}
