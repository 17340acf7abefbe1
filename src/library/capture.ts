/** A capture that a program starts, with its handle: counters and packets to iterate, an end to wait for. */
import { DpcapError, errorFromRecord, UsageError } from '../errors.js';
import type { StopReason } from '../protocol/messages.js';
import { sinkOf } from '../sinks/registry.js';
import { type RunningCapture, startCapture } from '../supervisor/capture.js';
import type { Reporter, StartFacts } from '../supervisor/report/reporter.js';
import type { StatsRecord } from '../supervisor/report/stats-record.js';
import { StatsStream } from '../supervisor/stats-stream.js';
import { createLogger } from '../system/log.js';
import { checkOptions } from './check-options.js';
import type { CaptureOptions } from './options.js';
import { PacketStream } from './packets/packet-stream.js';
import type { Packet } from './packets/pcapng-blocks.js';
import { planCapture } from './request.js';

/** Memory for packets that wait for the program, when it does not say how much. */
const DEFAULT_MEMORY_BYTES = 16 * 1024 * 1024;

/** How a capture ended. */
export interface CaptureResult {
  reason: StopReason;
  /** The last counters; undefined when no packet could be captured at all. */
  stats: StatsRecord | undefined;
  /** The finished file, when there is one; of files that follow one another, the last. */
  file: string | undefined;
  /** The error that ended the capture early, or that names what had to be left in the primary. */
  error: DpcapError | undefined;
}

/** A capture that has been started. */
export interface Capture {
  /** Resolves when packets are being captured. Rejects with the error that prevented it. */
  readonly started: Promise<StartFacts>;
  /** Counters: one record for each interval, and the last one. Iterate them once; a slow reader misses some. */
  readonly stats: AsyncIterable<StatsRecord>;
  /**
   * The packets, in batches as they come, with the option `packets`. Iterate them once. Whoever leaves the loop ends the
   * capture; whoever is too slow loses packets, which are counted (sinkdrop). It ends with the capture, and `done` tells how.
   */
  readonly packets: AsyncIterable<Packet[]>;
  /** Ends the capture in order. `done` resolves when it has ended. */
  stop(): void;
  /** The result. Rejects with a DpcapError when the capture could not begin, or when its engine died. */
  readonly done: Promise<CaptureResult>;
}

/**
 * Starts a capture. Nothing is thrown here: for options that are not valid, `started` and `done` reject with a UsageError.
 */
export function capture(options: CaptureOptions): Capture {
  const running = new ProgramCapture(options);
  const { started, stats, packets, done } = running;
  return { started, stats, packets, stop: () => running.stop(), done };
}

class ProgramCapture implements Capture {
  readonly started: Promise<StartFacts>;
  readonly stats = new StatsStream();
  readonly packets: AsyncIterable<Packet[]>;
  readonly done: Promise<CaptureResult>;
  readonly #packets: PacketStream | undefined;
  #begin: (facts: StartFacts) => void = () => {};
  #fail: (error: unknown) => void = () => {};
  #running: RunningCapture | undefined;
  #isStopped = false;
  #final: StatsRecord | undefined;
  /** Ids of the captured ports. */
  #ports: number[] = [];

  constructor(options: CaptureOptions) {
    this.started = new Promise<StartFacts>((resolve, reject) => {
      this.#begin = resolve;
      this.#fail = reject;
    });
    this.started.catch(() => undefined); // `done` tells how it ended, so nobody has to handle both
    this.#packets = streamFor(options, () => this.stop());
    this.packets = this.#packets ?? NO_PACKETS;
    this.done = this.#untilDone(options);
    this.done.then(() => this.#fail(new DpcapError('ERR_SYSTEM', 'the capture ended before it began')), this.#fail);
  }

  stop(): void {
    this.#isStopped = true;
    this.#running?.stop('stopped');
  }

  async #untilDone(options: CaptureOptions): Promise<CaptureResult> {
    const stop = (): void => this.stop();
    let signal: AbortSignal | undefined;
    try {
      const checked = checkOptions(options);
      signal = checked.signal;
      signal?.throwIfAborted();
      signal?.addEventListener('abort', stop);
      return await this.#run(checked);
    } finally {
      signal?.removeEventListener('abort', stop);
      this.#packets?.end();
      this.stats.end();
    }
  }

  async #run(options: CaptureOptions): Promise<CaptureResult> {
    const { plan, target } = await planCapture(options);
    const reporter = this.#reporter(options.onNotice);
    const shown = {
      output: sinkOf(target.to).nameOf(target.to),
      inherited: this.#packets ?? target.inherits,
      printed: (line: string): void => reporter.notice(line), // standard error is the program's own
    };
    this.#running = startCapture(plan, shown, reporter, createLogger('silent', 'dpcap'));
    if (this.#isStopped) this.#running.stop('stopped');
    const end = await this.#running.done;
    await this.#packets?.complete();
    if (this.#final) this.#show(this.#final);
    const error = this.#packets?.error ?? (end.error && errorFromRecord(end.error));
    if (end.stats === undefined && error) throw error;
    return { reason: end.reason, stats: this.stats.last, file: end.file, error };
  }

  #reporter(onNotice: CaptureOptions['onNotice']): Reporter {
    return {
      wantsProgress: true,
      started: (facts) => {
        this.#ports = facts.ports.map(({ id }) => id);
        this.#begin(facts);
      },
      progress: (record) => this.#show(record),
      asked: () => {},
      // What the program throws there is its own, and does not end the capture on the way.
      notice: (text) => queueMicrotask(() => onNotice?.(text)),
      // Packets that are still on their way to the program may yet be lost.
      finished: (record) => {
        this.#final = record;
      },
    };
  }

  #show(record: StatsRecord): void {
    this.stats.push(this.#packets?.losses.countedIn(record, this.#ports) ?? record);
  }
}

/** The options have not been checked yet. */
function streamFor(options: Partial<CaptureOptions> | undefined, left: () => void): PacketStream | undefined {
  const packets = options?.packets;
  if (!packets) return undefined;
  return new PacketStream(packets === true ? DEFAULT_MEMORY_BYTES : packets.memoryBytes, left);
}

/** The packets of a capture into a file. */
const NO_PACKETS: AsyncIterable<never> = {
  [Symbol.asyncIterator]: () => ({
    next: () => {
      const hint = 'give packets: true in place of to';
      return Promise.reject(new UsageError('packets: they go elsewhere', { subject: 'packets', hint }));
    },
  }),
};
