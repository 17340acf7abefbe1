/** Decides which drain thread of a capture takes the packets of which lane. */
import type { LanePlan, NativePlan } from '../native/capture-binding.js';

/**
 * Gives each lane its drain thread. An interface has a thread for each of its queues, and a flow stays in one of them.
 * For a file, a thread may drain several queues of the primary, and both directions of a queue have the same thread.
 * @param most the most drain threads for a file
 */
export function assignThreads(
  lanes: readonly LanePlan[],
  sink: NativePlan['sink'],
  most: number,
): Pick<NativePlan, 'lanes' | 'threads'> {
  if (sink.kind === 'frames') {
    const threads = sink.queues.length;
    return { threads, lanes: lanes.map((lane) => ({ ...lane, thread: lane.queue % threads })) };
  }
  const queues = [...new Set(lanes.map(queueOf))];
  const threads = Math.max(1, Math.min(queues.length, most));
  return { threads, lanes: lanes.map((lane) => ({ ...lane, thread: queues.indexOf(queueOf(lane)) % threads })) };
}

const queueOf = ({ device, queue }: LanePlan): string => `${device} ${queue}`;
