/**
 * dpcap as a library: it does what the command line does, with values instead of words. It prints nothing and catches
 * no signal. It starts an engine process for each capture, which ends when the calling process ends.
 */
import * as z from 'zod/mini';
import { pickSource } from './agent/pick.js';
import { resolvePortNames } from './dpvs/port-names.js';
import { DpcapError, errorFromRecord, UsageError } from './errors.js';
import { compileFilter } from './filter/compile.js';
import { systemHost } from './primary/host.js';
import { filterNative } from './primary/joining/filter-native.js';
import { askDpvs, collectListings, type Listing } from './primary/listing.js';
import { runtimeRoot } from './primary/runtime-dir.js';
import { MAX_SNAPLEN, MAX_THREADS } from './protocol/limits.js';
import type { StopReason } from './protocol/messages.js';
import { BACKENDS, type CaptureRequest, DEFAULT_REQUEST, formatOf } from './protocol/request.js';
import { CODEC_NAMES, CODECS, type CodecName, codecOf } from './sinks/compression.js';
import { descriptorOutput } from './sinks/descriptor-target.js';
import { outputTarget } from './sinks/file-target.js';
import type { CaptureTarget } from './sinks/output-target.js';
import { sinkOf } from './sinks/registry.js';
import { parseTunnelUrl } from './sinks/tunnel/url.js';
import { type RunningCapture, startCapture } from './supervisor/capture.js';
import { createPlan } from './supervisor/create-plan.js';
import type { Reporter, StartFacts } from './supervisor/report/reporter.js';
import type { StatsRecord } from './supervisor/report/stats-record.js';
import { StatsStream } from './supervisor/stats-stream.js';
import { createLogger } from './system/log.js';

export type { ErrorCode, ErrorRecord } from './errors.js';
export { DpcapError, UsageError } from './errors.js';
export type { Listing } from './primary/listing.js';
export type { StopReason } from './protocol/messages.js';
export type { LaneRecord, StatsRecord } from './supervisor/report/stats-record.js';

const count = z.int().check(z.nonnegative());
const optionsSchema = z.strictObject({
  /** The file prefix of the primary. Default: the only primary that runs. */
  filePrefix: z.optional(z.string()),
  /** Port ids, device names, or "any". Default: the first port. */
  ports: z.optional(z.array(z.string())),
  directions: z.optional(z.array(z.enum(['rx', 'tx'])).check(z.minLength(1))),
  /** Default: all queues. */
  queues: z.optional(z.array(count)),
  /** A pcap-filter expression. */
  filter: z.optional(z.string()),
  /**
   * A file's path; a descriptor of this process, which the caller keeps; or a tunnel to a collector, such as
   * erspan://192.0.2.9?id=5 (docs/tunnels.md).
   */
  to: z.union([
    z.strictObject({ file: z.string() }),
    z.strictObject({ fd: count }),
    z.strictObject({ tunnel: z.string() }),
  ]),
  /** Default: pcapng for a file with that suffix, else pcap. */
  format: z.optional(z.enum(['pcap', 'pcapng'])),
  /** How the file is compressed. Default: by its suffix, else not at all. */
  compress: z.optional(z.strictObject({ codec: z.enum(CODEC_NAMES), level: z.optional(z.int().check(z.minimum(1))) })),
  /** Whether timestamps are in nanoseconds. Default: true. */
  nanoseconds: z.optional(z.boolean()),
  /**
   * Where timestamps are taken. stamped: where packets are handled (the default); plain: on arrival here, which is
   * cheaper for the primary.
   */
  mode: z.optional(z.enum(['stamped', 'plain'])),
  /** Bytes of a packet to keep. */
  snaplen: z.optional(z.int().check(z.minimum(1), z.maximum(MAX_SNAPLEN))),
  /** The capture ends after exactly this many packets; 0 means no limit. */
  packetLimit: z.optional(count),
  /** The capture ends when the file has this many bytes; 0 means no limit. */
  byteLimit: z.optional(count),
  /** The capture ends after this many milliseconds of capturing. */
  durationMs: z.optional(z.int().check(z.positive())),
  /** Bytes of memory for copies, in the primary's huge pages. */
  bufferBytes: z.optional(z.int().check(z.minimum(2 ** 21))),
  /** The number of drain threads. */
  threads: z.optional(z.int().check(z.minimum(1), z.maximum(MAX_THREADS))),
  /** The interval between two records of `stats`, milliseconds. Default: 1000. */
  statsIntervalMs: z.optional(z.int().check(z.minimum(100))),
  trustMempools: z.optional(z.boolean()),
  via: z.optional(z.enum(BACKENDS)),
  /** With `via: 'ebpf'`: share of full receive calls, percent, above which the probes are taken out; 100: never. */
  probeBudget: z.optional(z.int().check(z.minimum(1), z.maximum(100))),
});

/** What to capture, and where packets go. */
export type CaptureOptions = z.infer<typeof optionsSchema>;

/** How a capture ended. */
export interface CaptureResult {
  reason: StopReason;
  /** The last counters; undefined when no packet could be captured at all. */
  stats: StatsRecord | undefined;
  /** The finished file, when there is one. */
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
  /** Ends the capture in order. `done` resolves when it has ended. */
  stop(): void;
  /** The result. Rejects with a DpcapError when the capture could not begin, or when its engine died. */
  readonly done: Promise<CaptureResult>;
}

/**
 * Starts a capture.
 * @throws UsageError for options that are not valid: `started` and `done` reject with it
 */
export function capture(options: CaptureOptions): Capture {
  const stats = new StatsStream();
  let begin: (facts: StartFacts) => void = () => {};
  let fail: (error: unknown) => void = () => {};
  const started = new Promise<StartFacts>((resolve, reject) => {
    begin = resolve;
    fail = reject;
  });
  started.catch(() => undefined); // `done` tells how it ended, so nobody has to handle both
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
 * Lists the DPDK primaries of this machine. Those that have ended come last.
 * @throws DpcapError ERR_PERMISSION
 */
export function listPrimaries(): Promise<Listing[]> {
  return askDpvs(collectListings(runtimeRoot(), systemHost()));
}

async function begun(options: CaptureOptions, reporter: Reporter): Promise<RunningCapture> {
  const checked = checkOptions(options);
  const { to, inherits } = targetOf(checked.to);
  const filter =
    checked.filter === undefined
      ? undefined
      : compileFilter({ expressions: [checked.filter] }, { native: filterNative(checked.filePrefix) });
  const picked = pickSource(checked.filePrefix, checked.via ?? DEFAULT_REQUEST.via);
  const ports = await resolvePortNames(checked.ports ?? [], picked);
  const plan = createPlan(requestFrom(checked, ports), filter, picked, to, `a program of pid ${process.pid}`);
  const shown = { output: sinkOf(to).nameOf(to), inherited: inherits };
  return startCapture(plan, shown, reporter, createLogger('silent', 'dpcap'));
}

function checkOptions(options: CaptureOptions): CaptureOptions {
  const { data, error } = optionsSchema.safeParse(options);
  if (data && 'tunnel' in data.to && data.byteLimit) {
    const hint = 'leave byteLimit out, or give packetLimit or durationMs';
    throw new UsageError('byteLimit: a tunnel has no file of some size', { subject: 'byteLimit', hint });
  }
  if (data) return data;
  const [issue] = error.issues;
  const subject = issue?.path.join('.') ?? '';
  throw new UsageError(`${subject || 'the options'}: ${issue?.message ?? 'not valid'}`, { subject });
}

function targetOf(to: CaptureOptions['to']): CaptureTarget {
  if ('tunnel' in to) return { to: parseTunnelUrl(to.tunnel, 'to.tunnel') };
  if ('file' in to) return outputTarget(to.file);
  return descriptorOutput(to.fd, `descriptor ${to.fd}`, 'to.fd');
}

/** Makes the request: what was given, and the defaults for the rest. */
function requestFrom({ to, filter, compress, ...given }: CaptureOptions, ports: string[]): CaptureRequest {
  const format = 'file' in to ? formatOf(to.file) : DEFAULT_REQUEST.format;
  const codec = compress?.codec ?? ('file' in to ? codecOf(to.file) : undefined);
  const compression = codec && { codec, level: levelOf(codec, compress?.level) };
  return { ...DEFAULT_REQUEST, format, compression, ...given, ports } as CaptureRequest;
}

/** @throws UsageError for a level that the codec does not have */
function levelOf(codec: CodecName, level: number = CODECS[codec].usual): number {
  const { least, most } = CODECS[codec];
  if (level >= least && level <= most) return level;
  throw new UsageError(`compress.level: ${level} is no level of ${codec}`, { hint: `use ${least} to ${most}` });
}
