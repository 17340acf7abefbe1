/** Decides which drain thread of a capture takes the packets of which lane. */
import type { LanePlan, NativePlan } from '../native/capture-binding.js';
import type { Placement } from './cpu-topology.js';

/** The most drain threads without `--threads`: more of them, all busy, would wait for the merge thread. */
const MOST_BY_ITSELF = 3;
/** CPUs for the merge thread and the writer thread. */
const CPUS_FOR_OTHERS = 2;

/** The number of CPUs that a capture can use with `threads` drain threads, or with as many as it has by itself. */
export const cpusFor = (polling: number, threads = Math.min(MOST_BY_ITSELF, polling)): number =>
  threads + CPUS_FOR_OTHERS;

/** What the number of threads depends on. */
export interface ThreadNeeds {
  /** The number that `--threads` gives; undefined for as many as queues and CPUs allow. */
  threads?: number | undefined;
  /** 0: no limit. */
  packetLimit: number;
  byteLimit: number;
}

/**
 * Gives each lane its drain thread. An interface has a thread for each of its queues, and a flow stays in one of them.
 * For a file, a thread may drain several queues of the primary, and both directions of a queue have the same thread; a
 * limit is counted by a single thread.
 */
export function assignThreads(
  lanes: readonly LanePlan[],
  sink: NativePlan['sink'],
  placement: Placement,
  needs: ThreadNeeds,
): Pick<NativePlan, 'lanes' | 'threads'> {
  if (sink.kind === 'frames') {
    const threads = sink.queues.length;
    return { threads, lanes: lanes.map((lane) => ({ ...lane, thread: lane.queue % threads })) };
  }
  const queues = [...new Set(lanes.map(queueOf))];
  const threads = Math.max(1, Math.min(queues.length, wantedThreads(placement, needs)));
  return { threads, lanes: lanes.map((lane) => ({ ...lane, thread: queues.indexOf(queueOf(lane)) % threads })) };
}

/** The number of drain threads. One takes more than a core of the primary can copy. */
function wantedThreads({ cpus, polling }: Placement, { threads, packetLimit, byteLimit }: ThreadNeeds): number {
  if (packetLimit > 0 || byteLimit > 0) return 1;
  return threads ?? Math.min(MOST_BY_ITSELF, polling, cpus.length - CPUS_FOR_OTHERS);
}

const queueOf = ({ device, queue }: LanePlan): string => `${device} ${queue}`;
