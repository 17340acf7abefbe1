/**
 * Decides from the counters, the primary and the output why a capture ends by itself, and what people should hear before.
 * Pure.
 */

import { DpcapError, type ErrorRecord } from '../errors.js';
import type { LaneStats, NativeStats, SinkRemark } from '../native/capture-binding.js';
import type { InputEnd } from '../native/reader-binding.js';
import type { StopReason } from '../protocol/messages.js';
import { BLIND } from '../protocol/messages.js';
import type { EnginePlan } from '../protocol/plan.js';
import { tooSlow } from '../sinks/compression.js';
import { sinkOf } from '../sinks/registry.js';

/** The reason of an end, and its error if the end is a failure. */
export interface CaptureEnd {
  reason: StopReason;
  error?: DpcapError;
  /** What the user should know beside the reason. */
  notice?: string;
}

/** The end of a capture whose primary is gone. */
export function primaryGone(plan: Pick<EnginePlan, 'filePrefix'>): CaptureEnd {
  const error = new DpcapError('ERR_PRIMARY_GONE', 'the capture ended early: the primary process exited', {
    subject: plan.filePrefix,
    hint: 'what was captured until then is complete',
  });
  return { reason: 'primary gone', error };
}

/** The end that the output or a limit demands; undefined while the capture goes on. */
export function endByStats(plan: EnginePlan, stats: NativeStats): CaptureEnd | undefined {
  if (stats.sinkFailure === 'EPIPE') return { reason: 'reader closed' };
  if (stats.sinkFailure)
    return { reason: 'sink failed', error: sinkOf(plan.output).failed(plan.output, stats.sinkFailure) };
  if (stats.limitReached) return { reason: stats.sinkNews.includes('low') ? 'disk space' : limitOf(plan, stats) };
  return stats.inputEnd ? endOfInput(plan.input?.name ?? 'the input', stats.inputEnd) : undefined;
}

/** The end of a file that was read. What was read until then is in the output, whatever is wrong with the rest. */
function endOfInput(name: string, { how, words }: InputEnd): CaptureEnd {
  if (how === 'limit') return { reason: 'packets' };
  const reason = 'end of file';
  if (how === 'cut')
    return { reason, notice: `${name} ends in the middle of a packet: all packets before it have been read` };
  if (how !== 'damaged') return { reason };
  const error = new DpcapError('ERR_INPUT_FILE', `the rest of ${name} cannot be read: ${words}`, {
    subject: name,
    hint: 'what was read until then is complete',
  });
  return { reason, error };
}

/** Which limit was reached. Files are counted beside packets, of which there are then fewer. */
function limitOf({ packetLimit, byteLimit, rotation }: EnginePlan, { lanes }: NativeStats): StopReason {
  const recorded = total(lanes, 'written') + total(lanes, 'sinkdrop');
  if (packetLimit > 0 && (!rotation?.mostFiles || recorded >= BigInt(packetLimit))) return 'packets';
  return byteLimit > 0 ? 'filesize' : 'files';
}

/** The error of a capture that left something in the primary: its own, or a hint added to the error that ended it. */
export function leftBehindError(
  plan: Pick<EnginePlan, 'filePrefix' | 'agent'>,
  left: readonly string[],
  endedBy: ErrorRecord | undefined,
): ErrorRecord {
  const what = `something of the capture is left in the primary, because it may still be in use: ${left.join('; ')}`;
  const isBlind = left.some((one) => one.includes(BLIND));
  const recover = isBlind
    ? 'clear the primary where its threads can be seen (on the host): dpcap recover'
    : 'clear the primary later with: dpcap recover';
  const remedy = plan.agent ? 'the agent gives it back by itself, as soon as it can' : recover;
  if (endedBy) return { ...endedBy, hint: [endedBy.hint, what, remedy].filter(Boolean).join('\n  ') };
  return new DpcapError('ERR_DISABLE_FAILED', what, {
    subject: plan.filePrefix,
    hint: `the output is complete; ${remedy}`,
  }).toJSON();
}

/** Mbufs that the mempool caches of the primary's cores may hold: they are not free although no copy is in them. */
const CACHED_MBUFS = 2048;
/** The most mbufs of one copy: those of a jumbo frame. */
const MBUFS_A_COPY = 8;

type Copies = Pick<NativeStats, 'lanes' | 'mbufs' | 'mbufsFree'>;

/**
 * Tells once when copies failed although mbufs were free, because their packets are in no file. The order of the
 * mempool handlers has been proved by then, so the packets are the cause. Mbufs certainly did not run short when fewer
 * were taken since the last look than were free at that look.
 */
export class FailingCopies {
  #before: Copies | undefined;
  #isTold = false;

  /** @param stats the counters at each look, and at the end */
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

function total(
  lanes: readonly LaneStats[] | undefined,
  counter: 'nombuf' | 'accepted' | 'written' | 'sinkdrop',
): bigint {
  return (lanes ?? []).reduce((sum, lane) => sum + lane[counter], 0n);
}

const SMALL_PAGES =
  'the copies are in ordinary pages: huge ones of 2 MiB are taken where twice as many as the capture needs (-B) are free ' +
  '(HugePages_Free)';

/** What people should hear of a capture that goes on, as far as its counters tell: each thing once. */
export class Notices {
  readonly #output: EnginePlan['output'];
  readonly #compression: EnginePlan['compression'];
  #hasToldPages = false;
  readonly #failingCopies = new FailingCopies();
  readonly #told = new Set<SinkRemark>();

  constructor({ output, compression }: Pick<EnginePlan, 'output' | 'compression'>) {
    this.#output = output;
    this.#compression = compression;
  }

  /** @param stats the counters at each look, and at the end */
  of(stats: NativeStats): string[] {
    const failing = this.#failingCopies.notice(stats);
    return [
      ...this.#ofPages(stats),
      ...(failing === undefined ? [] : [failing]),
      ...stats.sinkNews.flatMap((remark) => this.#ofSink(remark)),
    ];
  }

  #ofPages({ smallPages }: NativeStats): string[] {
    if (this.#hasToldPages || !smallPages) return [];
    this.#hasToldPages = true;
    return [SMALL_PAGES];
  }

  #ofSink(remark: SinkRemark): string[] {
    if (this.#told.has(remark)) return [];
    this.#told.add(remark);
    if (remark === 'slow') return this.#compression ? [tooSlow(this.#compression)] : [];
    const text = sinkOf(this.#output).news?.(this.#output, remark);
    return text === undefined ? [] : [text];
  }
}
