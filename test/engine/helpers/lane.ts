/** A lane's counters to vary. */
import type { LaneStats } from '../../../src/native/capture-binding.js';

/** Those of a lane that found nothing, but for `change`. */
export const lane = (change: Partial<LaneStats> = {}): LaneStats => ({
  state: 'live',
  port: 0,
  queue: 0,
  direction: 'rx',
  accepted: 0n,
  filtered: 0n,
  nombuf: 0n,
  contended: 0n,
  unread: 0n,
  calls: 0n,
  fullCalls: 0n,
  ringfull: 0n,
  written: 0n,
  bytes: 0n,
  sinkdrop: 0n,
  surplus: 0n,
  ...change,
});
