/** Which of a capture's threads takes the packets of which lane. */
import type { LanePlan, NativePlan } from '../native/capture-binding.js';
import type { Placement } from './cpu-topology.js';

/** Without `--threads`: more of them, all busy, would wait for the one that merges what they make. */
const MOST_BY_ITSELF = 3;
/** For the thread that merges, and the one that writes. */
const CPUS_FOR_OTHERS = 2;

/** How many CPUs a capture has use for, with `threads` that take packets, or as many as it has by itself. */
export const cpusFor = (polling: number, threads = Math.min(MOST_BY_ITSELF, polling)): number =>
  threads + CPUS_FOR_OTHERS;

/** What the number of threads depends on. */
export interface ThreadNeeds {
  /** As `--threads` says; undefined: what queues and CPUs allow. */
  threads?: number | undefined;
  /** 0: no limit. */
  packetLimit: number;
  byteLimit: number;
}

/**
 * Lanes with their threads. An interface has one for each of its queues, and a flow stays in one of them. For a file
 * each may have several queues of the primary, both directions of a queue in one; a limit is counted by one alone.
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

/** One takes more than a core of the primary can copy. */
function wantedThreads({ cpus, polling }: Placement, { threads, packetLimit, byteLimit }: ThreadNeeds): number {
  if (packetLimit > 0 || byteLimit > 0) return 1;
  return threads ?? Math.min(MOST_BY_ITSELF, polling, cpus.length - CPUS_FOR_OTHERS);
}

const queueOf = ({ device, queue }: LanePlan): string => `${device} ${queue}`;
