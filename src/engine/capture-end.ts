/** Why a capture ends by itself, told by its counters and by what became of the primary and the output. Pure. */

import { DpcapError, type ErrorRecord } from '../errors.js';
import type { LaneStats, NativeStats } from '../native/capture-binding.js';
import type { StopReason } from '../protocol/messages.js';
import { BLIND } from '../protocol/messages.js';
import type { EnginePlan } from '../protocol/plan.js';
import { sinkOf } from '../sinks/registry.js';

/** An end, and the error that it is, if it is one. */
export interface CaptureEnd {
  reason: StopReason;
  error?: DpcapError;
}

/** The primary is not there any more. */
export function primaryGone(plan: Pick<EnginePlan, 'filePrefix'>): CaptureEnd {
  const error = new DpcapError('ERR_PRIMARY_GONE', 'the capture ended early: the primary process exited', {
    subject: plan.filePrefix,
    hint: 'what was captured until then is complete',
  });
  return { reason: 'primary gone', error };
}

/** What the output and the limits say; undefined while the capture goes on. */
export function endByStats(plan: EnginePlan, stats: NativeStats): CaptureEnd | undefined {
  if (stats.sinkFailure === 'EPIPE') return { reason: 'reader closed' };
  if (stats.sinkFailure)
    return { reason: 'sink failed', error: sinkOf(plan.output).failed(plan.output, stats.sinkFailure) };
  if (stats.limitReached) return { reason: plan.packetLimit > 0 ? 'packets' : 'filesize' };
  return undefined;
}

/** The error of a capture of which something had to stay in the primary: its own, or said with the one that ended it. */
export function leftBehindError(
  plan: Pick<EnginePlan, 'filePrefix'>,
  left: readonly string[],
  endedBy: ErrorRecord | undefined,
): ErrorRecord {
  const what = `something of the capture is left in the primary, because it may still be in use: ${left.join('; ')}`;
  const isBlind = left.some((one) => one.includes(BLIND));
  const remedy = isBlind
    ? 'clear the primary where its threads can be seen (on the host): dpcap recover'
    : 'clear the primary later with: dpcap recover';
  if (endedBy) return { ...endedBy, hint: [endedBy.hint, what, remedy].filter(Boolean).join('\n  ') };
  return new DpcapError('ERR_DISABLE_FAILED', what, {
    subject: plan.filePrefix,
    hint: `the output is complete; ${remedy}`,
  }).toJSON();
}

/** Mbufs that cores of the primary may keep to themselves: they are not free although no copy is in them. */
const CACHED_MBUFS = 2048;
/** Mbufs of a copy, at most: of a jumbo frame. */
const MBUFS_A_COPY = 8;

type Copies = Pick<NativeStats, 'lanes' | 'mbufs' | 'mbufsFree'>;

/**
 * Copies that failed although mbufs were there to be had: told once, because their packets are in no file. The order of
 * the mempool handlers has been proved by then, so it is the packets. Proved is that mbufs did not run short: fewer were
 * taken since the last look than were free at it.
 */
export class FailingCopies {
  #before: Copies | undefined;
  #isTold = false;

  /** @param stats at each look, and at the end */
  notice(stats: Copies): string | undefined {
    const before = this.#before;
    this.#before = stats;
    const fails = total(stats.lanes, 'nombuf') > total(before?.lanes, 'nombuf');
    if (this.#isTold || !fails) return undefined;
    const copies = Number(total(stats.lanes, 'accepted') - total(before?.lanes, 'accepted'));
    const { mbufs, mbufsFree } = before ?? { mbufs: stats.mbufs, mbufsFree: stats.mbufs };
    if (copies * MBUFS_A_COPY >= mbufsFree - Math.min(CACHED_MBUFS, mbufs / 2)) return undefined;
    this.#isTold = true;
    return (
      'packets match that cannot be copied although mbufs are free (counted as nombuf): ' +
      'they have no bytes, or are so long that the timestamp does not fit behind them; -j host copies the latter'
    );
  }
}

function total(lanes: readonly LaneStats[] | undefined, counter: 'nombuf' | 'accepted'): bigint {
  return (lanes ?? []).reduce((sum, lane) => sum + lane[counter], 0n);
}
