/** The counters that the supervisor hears of. Pure. */
import type { NativeStats } from '../native/capture-binding.js';
import type { StatsMessage } from '../protocol/messages.js';

/** Picks them from all that the addon tells. */
export function statsMessage(stats: NativeStats): StatsMessage {
  const { lanes, fileBytes, clockSteps, clockSetNs, mbufs, mbufsFree, pollNs } = stats;
  return { lanes, fileBytes, clockSteps, clockSetNs, mbufs, mbufsFree, pollNs };
}
