/** The one place that knows which capture options are valid: raw words in, checked values out. */

import { UsageError } from '../errors.js';
import { MAX_SNAPLEN, MAX_THREADS, MOST_COMMENT_BYTES, type StopConditions } from '../protocol/limits.js';
import { BACKENDS, type CaptureRequest, DEFAULT_REQUEST, formatOf, type OutputChoice } from '../protocol/request.js';
import { MOST_FILES } from '../sinks/rotation/plan.js';
import { isTunnelUrl, parseTunnelUrl } from '../sinks/tunnel/url.js';
import { parseDuration } from '../text/duration.js';
import { checkCompress } from './output/compress-option.js';
import { checkMinFree, checkRotation, type RawRotationOptions } from './output/rotation-options.js';
import { refuseForTunnel } from './output/tunnel-options.js';
import { checkInteger } from './whole-number.js';

/** The highest queue number, with `RTE_MAX_QUEUES_PER_PORT` as in DPDK's default configuration. */
const MAX_QUEUE = 1023;

/** Options of `dpcap capture` as commander hands them over: their values are unchecked texts. */
export interface RawCaptureOptions extends RawRotationOptions {
  filePrefix?: string;
  via?: string;
  probeBudget?: string;
  interface?: string[];
  direction?: string;
  queue?: string;
  write?: string;
  format?: string;
  compress?: string;
  timePrecision?: string;
  timeStampType?: string;
  snapshotLength?: string;
  captureComment?: string[];
  /** How often -U was given. */
  packetBuffered?: number;
  packetCount?: string;
  autostop?: string[];
  bufferSize?: string;
  threads?: string;
  stats?: string;
  statsInterval?: string;
  /** How often -q was given. */
  quiet?: number;
  trustMempools?: boolean;
  logLevel?: string;
}

/**
 * Checks every option.
 * @throws UsageError naming the option, the value given and what is accepted
 */
export function checkOptions(raw: RawCaptureOptions): CaptureRequest {
  const limits = checkAutostop(raw.autostop ?? []);
  const output = checkOutput(raw.write);
  if (output.kind === 'tunnel') refuseForTunnel(raw, limits);
  const rotation = checkRotation(raw, { output, ...limits });
  const packetLimit = checkPacketLimit(raw.packetCount, limits);
  return {
    filePrefix: raw.filePrefix,
    via: checkChoice('--via', raw.via ?? DEFAULT_REQUEST.via, BACKENDS),
    probeBudget:
      raw.probeBudget === undefined
        ? DEFAULT_REQUEST.probeBudget
        : checkInteger('--probe-budget', raw.probeBudget, 1, 100, 'percent'),
    ports: (raw.interface ?? []).flatMap(splitPorts),
    directions: checkDirection(raw.direction ?? 'both'),
    queues: raw.queue === undefined ? undefined : checkQueues(raw.queue),
    output,
    format: checkFormat(raw.format, output),
    compression: checkCompress(raw.compress, output),
    nanoseconds: checkChoice('--time-precision', raw.timePrecision ?? 'nano', ['nano', 'micro']) === 'nano',
    mode:
      checkChoice('--time-stamp-type', raw.timeStampType ?? 'primary', ['primary', 'host']) === 'host'
        ? 'plain'
        : 'stamped',
    snaplen: checkSnaplen(raw.snapshotLength),
    comments: checkComments(raw.captureComment ?? [], checkFormat(raw.format, output)),
    packetBuffered: (raw.packetBuffered ?? 0) > 0,
    packetLimit,
    byteLimit: limits.byteLimit,
    durationMs: limits.durationMs,
    rotation,
    minFree: checkMinFree(raw.minFree, output),
    bufferBytes:
      raw.bufferSize === undefined
        ? undefined
        : checkInteger('-B', raw.bufferSize, 2048, 64 * 1024 * 1024, 'KiB') * 1024,
    threads: checkThreads(raw.threads, packetLimit > 0 || limits.byteLimit > 0 || (rotation?.mostFiles ?? 0) > 0),
    stats: checkChoice('--stats', raw.stats ?? 'text', ['text', 'ndjson', 'none']),
    statsIntervalMs: parseDuration('--stats-interval', raw.statsInterval ?? '1', { min: 100, max: 86_400_000 }),
    quiet: (raw.quiet ?? 0) > 0,
    trustMempools: raw.trustMempools ?? false,
  };
}

/** `-i 0,1` names two ports. A device name holds no comma: the arguments of a vdev do, but are not part of its name. */
export function splitPorts(text: string): string[] {
  return /^\d+(,\d+)+$/.test(text) ? text.split(',') : [text];
}

function checkDirection(text: string): ('rx' | 'tx')[] {
  switch (text) {
    case 'rx':
    case 'in':
      return ['rx'];
    case 'tx':
    case 'out':
      return ['tx'];
    case 'both':
    case 'inout':
      return ['rx', 'tx'];
    default:
      throw new UsageError(`-Q: unknown direction ${text}`, {
        subject: text,
        hint: 'use rx, tx or both (in, out, inout)',
      });
  }
}

/** Reads `all`, which gives undefined, or a list such as `0,2-5`. */
function checkQueues(text: string): number[] | undefined {
  if (text === 'all' || text === '*') return undefined;
  const queues = new Set<number>();
  for (const part of text.split(',')) {
    const match = /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(part);
    const from = Number(match?.[1]);
    const to = Number(match?.[2] ?? match?.[1]);
    if (!match || to < from || to > MAX_QUEUE) {
      throw new UsageError(`--queue: ${part} is no queue or range of queues`, {
        subject: part,
        hint: `queues are 0 to ${MAX_QUEUE}: give a list such as 0,2-5, or all`,
        code: 'ERR_QUEUE_RANGE',
      });
    }
    for (let queue = from; queue <= to; queue++) queues.add(queue);
  }
  return [...queues].sort((a, b) => a - b);
}

function checkPacketLimit(text: string | undefined, { packetLimit }: StopConditions): number {
  if (text === undefined) return packetLimit;
  const hint = 'give one of them';
  if (packetLimit > 0) throw new UsageError('-c and -a packets say the same: when to end', { subject: text, hint });
  return checkInteger('-c', text, 1, Number.MAX_SAFE_INTEGER, 'packets');
}

function checkOutput(path: string | undefined): OutputChoice {
  if (path === undefined) return { kind: 'print' };
  if (path === '')
    throw new UsageError('-w: the file name is empty', { hint: 'give a file name, or - for standard output' });
  if (isTunnelUrl(path)) return parseTunnelUrl(path);
  return path === '-' ? { kind: 'stdout' } : { kind: 'file', path };
}

function checkFormat(text: string | undefined, output: OutputChoice): 'pcap' | 'pcapng' {
  if (text !== undefined) {
    const format = checkChoice('-F', text, ['pcap', 'pcapng']);
    if (output.kind !== 'print') return format;
    throw new UsageError(`-F ${text} is the format of a file, and packets are printed`, {
      subject: text,
      hint: 'add -w FILE, or -w - for standard output',
    });
  }
  return output.kind === 'file' ? formatOf(output.path) : DEFAULT_REQUEST.format;
}

function checkComments(comments: string[], format: 'pcap' | 'pcapng'): string[] {
  const [first] = comments;
  if (first !== undefined && format === 'pcap') {
    throw new UsageError('--capture-comment: a pcap file has no place for comments', {
      subject: first,
      hint: 'write pcapng: -w FILE.pcapng, or -F pcapng',
    });
  }
  if (comments.every((comment) => Buffer.byteLength(comment) <= MOST_COMMENT_BYTES)) return comments;
  throw new UsageError(`--capture-comment: more than ${MOST_COMMENT_BYTES} bytes`, { hint: 'give several comments' });
}

/** As in tcpdump, 0 means the largest snaplen. */
export function checkSnaplen(text: string | undefined): number {
  if (text === undefined) return MAX_SNAPLEN;
  return checkInteger('-s', text, 0, MAX_SNAPLEN, 'bytes') || MAX_SNAPLEN;
}

function checkThreads(text: string | undefined, hasLimit: boolean): number | undefined {
  if (text === undefined) return undefined;
  const threads = checkInteger('--threads', text, 1, MAX_THREADS, 'threads');
  if (threads === 1 || !hasLimit) return threads;
  throw new UsageError('--threads and a number of packets, bytes or files to stop at exclude each other', {
    subject: text,
    hint: 'who counts must see all packets in order, so it is one thread',
  });
}

/** Reads dumpcap's grammar: `packets:N`, `duration:TIME` (seconds, or with a unit), `filesize:kB` (1000 bytes), `files:N`. */
function checkAutostop(words: string[]): StopConditions & { mostFiles: number } {
  const limits = { packetLimit: 0, byteLimit: 0, durationMs: undefined as number | undefined, mostFiles: 0 };
  for (const word of words) {
    const [name, value = ''] = word.split(/:(.*)/s, 2) as [string, string | undefined];
    refuseSecond(name, words);
    if (name === 'packets')
      limits.packetLimit = checkInteger('-a packets', value, 1, Number.MAX_SAFE_INTEGER, 'packets');
    else if (name === 'filesize') limits.byteLimit = checkInteger('-a filesize', value, 1, 2 ** 43, 'kB') * 1000;
    else if (name === 'files') limits.mostFiles = checkInteger('-a files', value, 1, MOST_FILES, 'files');
    else if (name === 'duration') limits.durationMs = parseDuration('-a duration', value);
    else {
      throw new UsageError(`-a: unknown limit ${word}`, {
        subject: word,
        hint: 'use packets:N, duration:TIME (90, 30s, 5m, 2h, 30d), filesize:KB or files:N',
      });
    }
  }
  return limits;
}

function refuseSecond(name: string, words: readonly string[]): void {
  const same = words.filter((word) => word.startsWith(`${name}:`));
  if (same.length < 2) return;
  throw new UsageError(`-a ${name} is given twice: ${same.join(' and ')}`, {
    subject: name,
    hint: `give each limit once`,
  });
}

function checkChoice<const T extends string>(option: string, text: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === text);
  if (found !== undefined) return found;
  throw new UsageError(`${option}: unknown value ${text}`, { subject: text, hint: `use ${choices.join(', ')}` });
}
