/** What the supervisor hears of a capture's beginning, and of its counters. Pure. */
import type { LanePlan, NativePlan, NativeStats } from '../native/capture-binding.js';
import type { FromEngine, StatsMessage } from '../protocol/messages.js';

type Started = Extract<FromEngine, { type: 'started' }>;

/** Picks the counters from all that the addon tells. */
export function statsMessage(stats: NativeStats): StatsMessage {
  const { lanes, fileBytes, clockSteps, clockSetNs, mbufs, mbufsFree, pollNs } = stats;
  return { lanes, fileBytes, clockSteps, clockSetNs, mbufs, mbufsFree, pollNs };
}

/** Packets flow. @param ports those of the lanes */
export function startedMessage(
  capture: number,
  about: { lanes: LanePlan[]; ports: Started['ports']; plan: NativePlan; stats: NativeStats },
): Started {
  const { plan, stats, lanes, ports } = about;
  const programs = [plan, ...plan.interfaces].map(({ program }) => (program?.length ?? 0) / 8);
  return {
    type: 'started',
    capture,
    lanes,
    ports,
    mbufs: plan.mbufs,
    filteringHere: stats.filteringHere,
    instructions: Math.max(...programs),
    pollNs: stats.pollNs,
  };
}
