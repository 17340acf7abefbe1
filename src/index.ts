/**
 * dpcap as a library: what the command line does, with values instead of words. Nothing is printed, no signal is taken;
 * an engine process is started for each capture, and ends with this one.
 */
import * as z from 'zod/mini';
import { resolvePortNames } from './dpvs/port-names.js';
import { DpcapError, errorFromRecord, UsageError } from './errors.js';
import { compileFilter } from './filter/compile.js';
import { systemHost } from './primary/host.js';
import { askDpvs, collectListings, type Listing } from './primary/listing.js';
import { pickPrimary } from './primary/pick.js';
import { runtimeRoot } from './primary/runtime-dir.js';
import { MAX_SNAPLEN, MAX_THREADS } from './protocol/limits.js';
import type { StopReason } from './protocol/messages.js';
import { type CaptureRequest, DEFAULT_REQUEST } from './protocol/request.js';
import { INHERITED_FD } from './sinks/descriptor.js';
import { outputTarget } from './sinks/file-target.js';
import type { OutputTarget } from './sinks/output-target.js';
import { type RunningCapture, startCapture } from './supervisor/capture.js';
import { createPlan } from './supervisor/create-plan.js';
import type { StatsRecord } from './supervisor/report/stats-record.js';
import type { Reporter, StartFacts } from './supervisor/report/text.js';
import { StatsStream } from './supervisor/stats-stream.js';
import { createLogger } from './system/log.js';

export type { ErrorCode, ErrorRecord } from './errors.js';
export { DpcapError, UsageError } from './errors.js';
export type { Listing } from './primary/listing.js';
export type { StopReason } from './protocol/messages.js';
export type { LaneRecord, StatsRecord } from './supervisor/report/stats-record.js';

const count = z.int().check(z.nonnegative());
const optionsSchema = z.strictObject({
  /** The primary; default: the only one that runs. */
  filePrefix: z.optional(z.string()),
  /** Port ids, device names, or "any"; default: the first port. */
  ports: z.optional(z.array(z.string())),
  directions: z.optional(z.array(z.enum(['rx', 'tx'])).check(z.minLength(1))),
  /** Default: all. */
  queues: z.optional(z.array(count)),
  /** A pcap-filter expression. */
  filter: z.optional(z.string()),
  /** A file's path, or a descriptor of this process, which stays the caller's. */
  to: z.union([z.strictObject({ file: z.string() }), z.strictObject({ fd: count })]),
  /** Default: pcap, and pcapng for a file of that suffix. */
  format: z.optional(z.enum(['pcap', 'pcapng'])),
  /** Of timestamps; default: true. */
  nanoseconds: z.optional(z.boolean()),
  /** stamped: where packets are handled (the default); plain: on arrival here, cheaper for the primary. */
  mode: z.optional(z.enum(['stamped', 'plain'])),
  /** Bytes of a packet to keep. */
  snaplen: z.optional(z.int().check(z.minimum(1), z.maximum(MAX_SNAPLEN))),
  /** Ends after exactly so many packets; 0: no limit. */
  packetLimit: z.optional(count),
  /** Ends when the file has so many bytes; 0: no limit. */
  byteLimit: z.optional(count),
  /** Ends after so many milliseconds of capturing. */
  durationMs: z.optional(z.int().check(z.positive())),
  /** Memory for copies, in the primary's huge pages. */
  bufferBytes: z.optional(z.int().check(z.minimum(2 ** 21))),
  /** Drain threads. */
  threads: z.optional(z.int().check(z.minimum(1), z.maximum(MAX_THREADS))),
  /** How often `stats` has a record, milliseconds; default: 1000. */
  statsIntervalMs: z.optional(z.int().check(z.minimum(100))),
  trustMempools: z.optional(z.boolean()),
});

/** What is to be captured, and where to. */
export type CaptureOptions = z.infer<typeof optionsSchema>;

/** How a capture ended. */
export interface CaptureResult {
  reason: StopReason;
  /** The last counters; undefined when no packet could be captured at all. */
  stats: StatsRecord | undefined;
  /** The finished file, when there is one. */
  file: string | undefined;
  /** What ended it early, or what had to be left in the primary. */
  error: DpcapError | undefined;
}

/** A capture that has been started. */
export interface Capture {
  /** Resolves when packets are captured. Rejects with what prevented it. */
  readonly started: Promise<StartFacts>;
  /** Counters, one record an interval and the last one. To be iterated once; a reader that is slow misses some. */
  readonly stats: AsyncIterable<StatsRecord>;
  /** Ends it in order; `done` tells when. */
  stop(): void;
  /** @throws DpcapError when it could not begin, or when its engine died */
  readonly done: Promise<CaptureResult>;
}

/**
 * Starts a capture.
 * @throws UsageError for options that cannot be, by `started` and `done`
 */
export function capture(options: CaptureOptions): Capture {
  const stats = new StatsStream();
  let begin: (facts: StartFacts) => void = () => {};
  let fail: (error: unknown) => void = () => {};
  const started = new Promise<StartFacts>((resolve, reject) => {
    begin = resolve;
    fail = reject;
  });
  started.catch(() => undefined); // `done` rejects as well: nobody has to look at both
  const reporter: Reporter = {
    wantsProgress: true,
    started: begin,
    progress: (record) => stats.push(record),
    asked: () => {},
    notice: () => {},
    finished: (record) => stats.push(record),
  };
  let running: RunningCapture | undefined;
  let isStopped = false;
  const run = async (): Promise<CaptureResult> => {
    running = await begun(options, reporter);
    if (isStopped) running.stop('stopped');
    const end = await running.done;
    const error = end.error && errorFromRecord(end.error);
    if (end.stats === undefined && error) throw error;
    return { reason: end.reason, stats: stats.last, file: end.file, error };
  };
  const done = run().finally(() => stats.end());
  done.then(() => fail(new DpcapError('ERR_SYSTEM', 'the capture ended before it began')), fail);
  const stop = (): void => {
    isStopped = true;
    running?.stop('stopped');
  };
  return { started, stats, stop, done };
}

/**
 * The DPDK primaries of this machine, those that have ended last.
 * @throws DpcapError ERR_PERMISSION
 */
export function listPrimaries(): Promise<Listing[]> {
  return askDpvs(collectListings(runtimeRoot(), systemHost()));
}

async function begun(options: CaptureOptions, reporter: Reporter): Promise<RunningCapture> {
  const checked = checkOptions(options);
  const { to, inherits } = targetOf(checked.to);
  const filter = checked.filter === undefined ? undefined : compileFilter({ expressions: [checked.filter] });
  const picked = pickPrimary(checked.filePrefix);
  const ports = await resolvePortNames(checked.ports ?? [], picked);
  const plan = createPlan(requestFrom(checked, ports), filter, picked, to, `a program of pid ${process.pid}`);
  const shown = { output: 'path' in to ? to.path : to.name, inherited: inherits, durationMs: checked.durationMs };
  return startCapture(plan, shown, reporter, createLogger('silent', 'dpcap'));
}

function checkOptions(options: CaptureOptions): CaptureOptions {
  const { data, error } = optionsSchema.safeParse(options);
  if (data) return data;
  const [issue] = error.issues;
  const subject = issue?.path.join('.') ?? '';
  throw new UsageError(`${subject || 'the options'}: ${issue?.message ?? 'not valid'}`, { subject });
}

function targetOf(to: CaptureOptions['to']): OutputTarget {
  if ('file' in to) return outputTarget(to.file);
  return { to: { kind: 'fd', fd: INHERITED_FD, name: `descriptor ${to.fd}` }, inherits: to.fd };
}

/** The request without what was not given. */
function requestFrom({ to, filter, ...given }: CaptureOptions, ports: string[]): CaptureRequest {
  const isPcapng = 'file' in to && to.file.endsWith('.pcapng');
  return { ...DEFAULT_REQUEST, format: isPcapng ? 'pcapng' : 'pcap', ...given, ports } as CaptureRequest;
}
