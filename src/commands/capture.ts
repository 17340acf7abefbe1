/** `dpcap [capture]`: the main job. Options to plan, plan to engine, engine to report. */

import { basename } from 'node:path';
import type { Command } from 'commander';
import { binding } from '../binding.js';
import { type CaptureOptions, checkOptions, type RawCaptureOptions } from '../capture/options.js';
import type { EnginePlan } from '../capture/plan.js';
import { type Printer, startPrinter } from '../capture/printer.js';
import { createReporter, type Reporter } from '../capture/report.js';
import { finalRecord, type RecordContext, statsRecord } from '../capture/stats-record.js';
import { type Done, Supervisor } from '../capture/supervisor.js';
import type { CommandContext, RegisterCommand } from '../cli.js';
import { errorFromRecord, formatError, UsageError } from '../errors.js';
import { compileFilter, type FilterProgram, type RawFilterOptions } from '../filter/compile.js';
import { createLogger, LOG_LEVELS, type Logger, type LogLevel } from '../log.js';
import { inspect, requireCapturable } from '../primary/capturable.js';
import { choosePrimary, findPrimaries, type Primary } from '../primary/discover.js';
import { systemHost } from '../primary/host.js';
import { runtimeRoot } from '../primary/runtime-dir.js';
import { ports } from '../primary/telemetry.js';

type RawOptions = RawCaptureOptions & RawFilterOptions & { dryRun?: boolean; logLevel?: string; json?: boolean };

const collect = (value: string, all: string[] = []): string[] => [...all, value];

export const registerCapture: RegisterCommand = (program, context) => {
  const command = program
    .command('capture', { isDefault: true })
    .description('capture packets (the default command)')
    .argument('[expression...]', 'pcap-filter expression, as for tcpdump');
  addCaptureOptions(command);
  addFilterOptions(command);
  command.action(async (words: string[], raw: RawOptions) => {
    await capture(words, raw, context);
  });
};

function addCaptureOptions(command: Command): void {
  command
    .option('--file-prefix <prefix>', 'the primary to attach to (default: the only one that runs)')
    .option('-i, --interface <port>', 'port id, device name or any; repeatable (default: the first port)', collect)
    .option('-Q, --direction <direction>', 'rx, tx or both (in, out, inout)')
    .option('--queue <list>', 'queues, such as 0,2-5 (default: all)')
    .option('-w, --write <file>', 'write packets to a file, - for standard output (default: print them)')
    .option('-F, --format <format>', 'pcap or pcapng (default: by the suffix of the file)')
    .option('-s, --snapshot-length <bytes>', 'most bytes of a packet to keep, cut in the primary (0: 262144)')
    .option('-c, --count <n>', 'stop after exactly n packets')
    .option('-a, --autostop <limit>', 'stop at packets:N, duration:SECONDS or filesize:KB; repeatable', collect)
    .option('-B, --buffer-size <KiB>', "memory for copies in the primary's huge pages (default: 81920)")
    .option('--time-precision <precision>', 'nano or micro')
    .option(
      '-j, --time-stamp-type <type>',
      'primary: stamped where packets are handled; host: on arrival here, cheaper',
    )
    .option('--stats <style>', 'text, ndjson or none, on standard error')
    .option('--stats-interval <seconds>', 'how often (default: 1)')
    .option('-q, --quiet', 'no running count')
    .option('--dry-run', 'print the plan and attach to nothing')
    .option('--log-level <level>', LOG_LEVELS.join(', '), 'warn');
}

function addFilterOptions(command: Command): void {
  const word = (flag: string, text: string): Command =>
    command.option(`--${flag} <value>`, `${text}; repeatable`, collect);
  word('host', 'packets from or to this address');
  word('src-host', 'packets from this address');
  word('dst-host', 'packets to this address');
  word('net', 'packets from or to this network (10.0.0.0/8)');
  word('proto', 'tcp, udp, icmp, arp ... or a number');
  word('port', 'port or range of ports');
  word('src-port', 'source port');
  word('dst-port', 'destination port');
  word('filter', 'a named filter (dpcap filters lists them)');
  command
    .option('-f, --expression <expression>', 'pcap-filter expression; all filters are ANDed')
    .option('--vlan <mode>', 'any: tags do not matter; strict: to the letter, as tcpdump does');
}

async function capture(words: string[], raw: RawOptions, context: CommandContext): Promise<void> {
  const options = checkOptions(raw);
  const log = createLogger(checkLogLevel(raw.logLevel), 'dpcap');
  const filter = compileFilter(words, raw);
  if (options.output.kind === 'stdout' && process.stdout.isTTY) {
    throw new UsageError('-w -: standard output is a terminal', { hint: 'pipe it: dpcap -w - | tshark -r -' });
  }
  const primary = pickPrimary(options.filePrefix);
  const plan = createPlan(options, filter, primary);
  if (raw.dryRun) {
    process.stdout.write(`${JSON.stringify(plan, null, 2)}\n`);
    return;
  }
  const reporter = createReporter(options.stats, options.quiet, process.stderr);
  const printer = options.output.kind === 'print' ? await startPrinter() : undefined;
  const { done, file } = await runCapture(plan, options, reporter, printer, log);
  await printer?.finished();
  if (done.error && done.stats === undefined) throw errorFromRecord(done.error);
  if (!done.error) return;
  // The summary has been shown: what is left to say is why it ended.
  process.stderr.write(`${formatError(errorFromRecord(done.error))}\n`);
  context.exitCode = done.error.exitCode;
  log.debug({ file }, 'capture failed after it had begun');
}

async function runCapture(
  plan: EnginePlan,
  options: CaptureOptions,
  reporter: Reporter,
  printer: Printer | undefined,
  log: Logger,
): Promise<{ done: Done; file: string | undefined }> {
  let record: RecordContext = {
    filePrefix: plan.filePrefix,
    lanes: [],
    startedAtMs: Date.now(),
    filtering: plan.program !== '',
  };
  const unfinished = plan.output.kind === 'file' ? [plan.output.path] : [];
  const stdout = printer?.input ?? (plan.output.kind === 'fd' ? 'inherit' : 'ignore');
  const supervisor = new Supervisor(
    plan,
    stdout,
    {
      started: (message) => {
        record = { ...record, lanes: message.lanes, startedAtMs: Date.now() };
        reporter.started({
          ...message,
          primary: plan.primaryName,
          expression: plan.expression,
          snaplen: plan.snaplen,
          output: describeOutput(options),
        });
        if (options.durationMs !== undefined) setTimeout(() => supervisor.stop('duration'), options.durationMs).unref();
      },
      stats: ({ stats }) => reporter.progress(statsRecord(record, stats, Date.now(), unfinished)),
    },
    log,
  );

  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const onSignal = (): void => supervisor.stop('signal');
  for (const signal of signals) process.on(signal, onSignal);
  try {
    const done = await supervisor.run();
    if (done.stats) {
      const last = finalRecord(record, done.stats, Date.now(), done.file, done.reason);
      reporter.finished(last, { reason: done.reason, leftBehind: done.leftBehind });
    }
    return { done, file: done.file };
  } finally {
    for (const signal of signals) process.off(signal, onSignal);
  }
}

/**
 * The primary to capture from.
 * @throws DpcapError when there is none, several, or one that cannot be captured
 */
export function pickPrimary(filePrefix: string | undefined): { primary: Primary; maxFrame: number | undefined } {
  const host = systemHost();
  const primary = choosePrimary(findPrimaries(runtimeRoot(), host), filePrefix);
  const { facts, capturability } = inspect(primary, host);
  requireCapturable(primary, capturability);
  const known = facts.telemetrySocket === undefined ? undefined : ports(facts.telemetrySocket, host);
  const mtus = known?.flatMap((port) => (port.mtu === undefined ? [] : [port.mtu])) ?? [];
  return { primary, maxFrame: mtus.length > 0 ? Math.max(...mtus) + FRAME_OVERHEAD : undefined };
}

/** Ethernet header and two VLAN tags. */
const FRAME_OVERHEAD = 14 + 8;

function createPlan(
  options: CaptureOptions,
  filter: FilterProgram | undefined,
  { primary, maxFrame }: ReturnType<typeof pickPrimary>,
): EnginePlan {
  const about = [
    primary.process?.program ?? 'a primary',
    primary.pid && `pid ${primary.pid}`,
    `DPDK ${binding().dpdkVersion}`,
  ];
  return Object.freeze({
    filePrefix: primary.filePrefix,
    runtimeDir: primary.runtimeDir,
    ...(primary.pid === undefined ? {} : { primaryPid: primary.pid }),
    primaryName: about.filter((word) => word !== undefined).join(', '),
    ports: options.ports,
    directions: options.directions,
    ...(options.queues === undefined ? {} : { queues: options.queues }),
    expression: filter?.expression ?? '',
    program: filter ? Buffer.from(filter.extended).toString('base64') : '',
    output: options.output.kind === 'file' ? options.output : { kind: 'fd' as const, fd: 1 },
    format: options.format,
    nanoseconds: options.nanoseconds,
    mode: options.mode,
    snaplen: options.snaplen,
    packetLimit: options.packetLimit,
    byteLimit: options.byteLimit,
    bufferBytes: options.bufferBytes,
    ...(maxFrame === undefined ? {} : { maxFrame }),
    statsIntervalMs: options.statsIntervalMs,
    purpose: `${basename(process.argv[1] ?? 'dpcap')} ${process.argv.slice(2).join(' ')}`,
  });
}

function describeOutput(options: CaptureOptions): string {
  const { output, format } = options;
  if (output.kind === 'print') return 'tcpdump';
  return output.kind === 'stdout' ? `standard output (${format})` : `${output.path} (${format})`;
}

function checkLogLevel(text: string | undefined): LogLevel {
  const level = LOG_LEVELS.find((one) => one === (text ?? 'warn'));
  if (level) return level;
  throw new UsageError(`--log-level: unknown level ${text}`, { hint: `use ${LOG_LEVELS.join(', ')}` });
}
