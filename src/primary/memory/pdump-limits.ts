/** Whether a primary's DPDK was built with the limits that dpcap knows, by the memory that its pdump has taken. Pure. */
import type { PdumpLimits } from '../../native/host-binding.js';

/** The counters are followed by a pointer, and a memzone is a whole number of cache lines. */
const MOST_BEHIND = 8 + 128;
const DIRECTIONS = 2;

/**
 * Says how they differ; undefined where they do not, or nothing is known. Two builds of a release have the same names and
 * numbers.
 * @param bytes of the memzone of pdump's counters; 0 while it is being made
 */
export function otherLimits(
  bytes: number | undefined,
  { ports, queues, counterBytes }: PdumpLimits,
): string | undefined {
  const ours = ports * queues;
  const expected = DIRECTIONS * ours * counterBytes;
  if (!bytes || (bytes >= expected && bytes <= expected + MOST_BEHIND)) return undefined;
  const theirs = Math.floor(bytes / counterBytes / DIRECTIONS);
  return (
    'its DPDK was built with other limits (RTE_MAX_ETHPORTS, RTE_MAX_QUEUES_PER_PORT): its pdump has counters for ' +
    `${theirs} queues, and that of dpcap for ${ours} (${ports} ports of ${queues})`
  );
}
