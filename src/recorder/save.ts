/** Saves the packets of a black box into a file, a pipe or whatever else takes records. */
import { availableParallelism } from 'node:os';
import { DpcapError } from '../errors.js';
import { hostAddon } from '../native/addons.js';
import { native } from '../native/errors.js';
import type { BoxFacts, Saved, SaveRequest } from '../native/recorder-binding.js';
import { type CompressionChoice, planCompression } from '../sinks/compression.js';
import type { OutputTarget } from '../sinks/output-target.js';
import { sinkOf } from '../sinks/registry.js';
import type { OpenBox } from './find.js';

/** The part of a box that is wanted. */
export interface Extent {
  /** The last so many milliseconds: until now, or until the last packet of a recorder that has ended. */
  lastMs?: number | undefined;
  /** From this time of day on, in milliseconds. */
  sinceMs?: number | undefined;
}

/** How it is written. */
export interface SavedForm {
  format: 'pcap' | 'pcapng';
  /** Packets before this time of day are left out; 0 for none. */
  sinceMs: number;
  /** Undefined for a file that is not compressed. */
  compression: CompressionChoice | undefined;
}

/** The time of day in milliseconds from which on packets are wanted; 0 for all. Pure. */
export function sinceOf(
  { lastMs, sinceMs }: Extent,
  facts: Pick<BoxFacts, 'isRecording' | 'lastNs'>,
  nowMs: number,
): number {
  if (lastMs === undefined) return sinceMs ?? 0;
  const endMs = facts.isRecording ? nowMs : Math.ceil(Number(facts.lastNs) / 1e6);
  return Math.max(0, endMs - lastMs);
}

/**
 * Saves it. A file has its name only when it is finished, and is a valid one also when its disk was full.
 * @throws DpcapError ERR_SINK_OPEN, ERR_SINK_WRITE, ERR_NO_MEMORY, ERR_RECORDER_FILE
 */
export async function saveBox(
  { fd, facts }: OpenBox,
  { to, inherits }: OutputTarget,
  { format, sinceMs, compression }: SavedForm,
): Promise<Saved> {
  const sink = sinkOf(to);
  const output = await sink.open(inherits === undefined ? to : ({ ...to, fd: inherits } as typeof to), () => false);
  if (output?.sink.kind !== 'file')
    throw new DpcapError('ERR_SINK_OPEN', `cannot write ${sink.nameOf(to)}`, { subject: sink.nameOf(to) });
  const request: SaveRequest = { format, sinceMs, ...fileInfo(facts), ...planOf(compression) };
  try {
    await output.empty?.();
    const saved = await native(hostAddon().saveBox(fd, output.sink.fd, request));
    const published = await output.publish();
    if (published.error) throw published.error;
    // A reader that has seen enough is no failure.
    if (saved.failure !== null && saved.failure !== 'EPIPE') throw sink.failed(to, saved.failure);
    return saved;
  } catch (error) {
    await output.remove();
    throw error instanceof DpcapError && error.code === 'ERR_NO_MEMORY' ? tooLarge(error) : error;
  }
}

/** A recorder that goes on is copied before it is saved. */
function tooLarge(error: DpcapError): DpcapError {
  const hint = 'save less of it, with --last or --since, or the whole once the application has ended';
  return new DpcapError(error.code, error.message, { errno: error.errno, hint, cause: error });
}

function planOf(compression: CompressionChoice | undefined): Pick<SaveRequest, 'compression'> {
  return compression ? { compression: planCompression(compression, availableParallelism()) } : {};
}

function fileInfo({ dpdkVersion, program, pid }: BoxFacts): {
  application: string;
  operatingSystem: string;
  comment: string;
} {
  return {
    application: `dpcap recorder (${dpdkVersion})`,
    operatingSystem: `${process.platform} ${process.arch}`,
    comment: `saved from the flight recorder in ${program}, pid ${pid}; timestamps: taken by the application (TSC), converted to CLOCK_REALTIME`,
  };
}
