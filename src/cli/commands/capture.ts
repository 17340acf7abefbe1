/** `dpcap [capture]`, the main command: turns options into a plan, has an engine carry it out, and reports on it. */

import type { Command } from 'commander';
import { pickSource } from '../../agent/pick.js';
import { resolvePortNames } from '../../dpvs/port-names.js';
import { type DpcapError, errorFromRecord, errorText, UsageError } from '../../errors.js';
import type { FilterProgram } from '../../filter/compile.js';
import { explainFilter, testFilter } from '../../filter/explain.js';
import { hostAddon } from '../../native/addons.js';
import { nativeError } from '../../native/errors.js';
import type { Port } from '../../native/primary-binding.js';
import type { PortInfo } from '../../primary/telemetry.js';
import type { Display } from '../../protocol/display.js';
import { selectPorts } from '../../protocol/lanes.js';
import type { CaptureRequest } from '../../protocol/request.js';
import { type FileOwner, fileOwner } from '../../sinks/file-owner.js';
import type { ShownCapture } from '../../supervisor/capture.js';
import { commandLine, createPlan, givingUpRoot, type PortChoice } from '../../supervisor/create-plan.js';
import { runInForeground } from '../../supervisor/foreground.js';
import type { ReadRequest } from '../../supervisor/reading/create-read-plan.js';
import { createReporter } from '../../supervisor/report/create-reporter.js';
import { diagnostics } from '../../system/diagnostics.js';
import { createLogger, LOG_LEVELS, type Logger, type LogLevel } from '../../system/log.js';
import { checkOptions, type RawCaptureOptions } from '../capture-options.js';
import { type CommandContext, isCommand, type RegisterCommand } from '../command.js';
import { addFilterOptions, collect, type RawFilterOptions, readFilter } from '../filter-options.js';
import { fittingDefaults } from '../fitting-defaults.js';
import { inOwnWords, isAnswered } from '../letters/meanings.js';
import { addLetters, displayFrom, type RawLetters } from '../letters/options.js';
import { PortScopes, type PortWords } from '../letters/per-port.js';
import { chooseFor, longestSnaplen, refuseSeveral } from '../letters/port-choices.js';
import { startPrinting } from '../letters/printing.js';
import { addLibrariesOption } from '../libraries-option.js';
import { chooseTarget, describeTarget } from '../output/capture-target.js';
import { addCompressOption } from '../output/compress-option.js';
import {
  addReadOptions,
  checkRead,
  countLine,
  type PlannedCapture,
  planRead,
  type RawReadOptions,
  withCount,
} from '../read-options.js';
import type { RawCaptureMirror, TargetPort } from './mirror/during-capture.js';

type RawOptions = RawCaptureOptions &
  RawLetters &
  RawFilterOptions &
  RawReadOptions &
  RawCaptureMirror & {
    relinquishPrivileges?: string;
    explain?: boolean;
    testFilter?: string;
    dryRun?: boolean;
    logLevel?: string;
    json?: boolean;
  };

export const registerCapture: RegisterCommand = (program, context) => {
  const command = program
    .command('capture', { isDefault: true })
    .description('Capture packets. This is the default command.')
    .argument('[expression...]', 'Expression of pcap-filter(7), as for tcpdump.');
  addCaptureOptions(command);
  addLetters(command);
  addCompressOption(command);
  addReadOptions(command);
  addFilterOptions(command);
  addLibrariesOption(command);
  const scopes = new PortScopes(command);
  command.action(async (words: string[], given: RawOptions) => {
    refuseLateCommand(words[0]);
    const { common, own } = scopes.applied(fittingDefaults(given, command));
    const raw = inOwnWords(common);
    if (own) refuseSeveral(raw);
    if (isAnswered(raw)) {
      const { answerTo } = await import('../letters/answers.js');
      process.stdout.write(answerTo(words, raw, checkOptions(raw).snaplen));
      return;
    }
    const { mirror } = raw;
    const read = checkRead(raw, (name) => command.getOptionValueSource(name) === 'cli');
    const typed = readWords(words, raw, read, own);
    if (raw.explain || raw.testFilter !== undefined) return explain(typed);
    if (read) return capture(typed, planRead(typed, read, chooseTarget(typed.request, typed.owner)), context);
    if (mirror === undefined || raw.dryRun) return capture(typed, await planFor(typed), context);
    const { captureMirrored } = await import('./mirror/during-capture.js');
    await captureMirrored({ ...raw, mirror }, async (where) => {
      const plan = await planFor(typed, where);
      return () => capture(typed, plan, context);
    });
  });
};

function addCaptureOptions(command: Command): void {
  command
    .option('--file-prefix <prefix>', 'Prefix of the primary to attach to. Default: the only one that runs.')
    .option(
      '--via <backend>',
      "How to get packets: agent, pdump, auto, or ebpf (probes of the kernel's: needs nothing of the application, and costs it microseconds a poll). Default: auto, the agent where there is one, else pdump.",
    )
    .option(
      '--probe-budget <percent>',
      'With --via ebpf: the probes are taken out when more of the receive calls come back full. 100: they never are. Default: 50.',
    )
    .option('-i, --interface <port>', 'Port id, device name or any. Repeatable. Default: the first port.', collect)
    .option('-Q, --direction <direction>', 'Direction to capture: rx, tx or both (in, out, inout). Default: both.')
    .option('--queue <list>', 'Queues to capture, such as 0,2-5. Default: all.')
    .option(
      '-w, --write <file>',
      'Write packets to this file, to standard output for -, or into a tunnel: erspan://ADDR?id=N, vxlan://ADDR?vni=N, gretap://ADDR?key=N. Default: print them.',
    )
    .option(
      '-F, --format <format>',
      'Format of -w: pcap or pcapng. Default: by the suffix of the file. Anything else is a file with an expression.',
    )
    .option(
      '-s, --snapshot-length <bytes>',
      'Most bytes of a packet to keep. The primary cuts off the rest. Behind -i: of that port. Default, and 0: 262144.',
      (value: string) => value, // PortScopes sees to a second one
    )
    .option('--capture-comment <text>', 'What a pcapng file says of itself. Repeatable.', collect)
    .option('-c, --packet-count <n>', 'Stop after exactly n packets.')
    .option(
      '-a, --autostop <limit>',
      'Stop at packets:N, duration:TIME (90, 5m, 30d), filesize:KB or files:N. Repeatable, each kind once.',
      collect,
    )
    .option(
      '-b, --ring-buffer <criterion>',
      'Switch to the next file at filesize:KB, packets:N, duration:TIME or interval:TIME (the clock passes a multiple). files:N keeps the last N; printname:FILE writes down their names. Repeatable.',
      collect,
    )
    .option(
      '-C, --file-size <size>',
      'Switch to the next file, -w with a number, when it is larger: millions of bytes, or with k, m, g.',
    )
    .option('-G, --rotate-seconds <time>', 'Switch to the next file each time; -w is a format of strftime(3).')
    .option('-W, --file-count <n>', 'With -C: keep n files, a ring. With -G: end after n files.')
    .option(
      '-z, --postrotate-command <command>',
      'Run this program for each finished file, with its name as the only argument.',
    )
    .option(
      '--min-free <size>',
      'Keep so much of the disk free (bytes, or with K, M, G): a ring gives up its oldest files, else the capture ends.',
    )
    .option(
      '-B, --buffer-size <KiB>',
      "Memory for copies, in the primary's huge pages. Default: 163840, and up to four times that under load.",
    )
    .option(
      '--threads <n>',
      'Number of drain threads, at most one for each queue. With more than one, a merge thread joins their records into the file. Default: as many as CPUs allow, up to 3. Of an agent and of probes, one takes all.',
    )
    .option(
      '--time-precision <precision>',
      'Precision of timestamps: nano or micro. Default: nano in files, micro when printing.',
    )
    .option(
      '-j, --time-stamp-type <type>',
      'Where timestamps are taken. primary: where packets are handled (the default). host: on arrival here, which is cheaper for the primary.',
    )
    .option('--stats <style>', 'Style of the statistics on standard error: text, ndjson or none. Default: text.')
    .option('--stats-interval <time>', 'Time between two statistics: seconds, or 500ms, 5m ... Default: 1.')
    .option(
      '--trust-mempools',
      'Trust that the primary made its mempools by rte_pktmbuf_pool_create(), where its table of handlers cannot be read.',
    )
    .option(
      '--mirror <spec>',
      'Copy a VF to the captured one while capturing, such as pf=0,vf=1,direction=all,target=3.',
    )
    .option('--mirror-fifo <path>', "Path of VFd's request FIFO.")
    .option('--mirror-config <file>', "Path of VFd's configuration. Default: /etc/vfd/vfd.cfg.")
    .option('--explain', 'Print what the filter compiles to and what it costs, and attach to nothing.')
    .option('--test-filter <file>', 'Say which packets of this pcap file would be captured, and attach to nothing.')
    .option('--dry-run', 'Print the plan and attach to nothing.')
    .option('--log-level <level>', `Least level of messages: ${LOG_LEVELS.join(', ')}.`, 'warn');
}

/** The command line, checked as far as that is possible without a primary. */
interface TypedCapture {
  raw: RawOptions;
  request: CaptureRequest;
  filter: FilterProgram | undefined;
  /** Of each of the request's ports, where they differ. */
  rules: PortChoice[] | undefined;
  /** How packets are printed, if they are. */
  display: Display;
  /** Whom a new file is given to. */
  owner: FileOwner | undefined;
  log: Logger;
}

/** @throws UsageError */
function readWords(
  words: string[],
  raw: RawOptions,
  read: ReadRequest | undefined,
  own: PortWords[] | undefined,
): TypedCapture {
  const checked = withCount(checkOptions(raw), raw);
  const rules = own?.flatMap((port) => chooseFor(port, words, raw));
  const request = rules ? { ...checked, snaplen: longestSnaplen(rules) } : checked;
  const log = createLogger(checkLogLevel(raw.logLevel), 'dpcap');
  const display = displayFrom(raw, raw.timePrecision === 'nano');
  const owner = fileOwner(raw.relinquishPrivileges);
  // A file is filtered here: no primary has to load the program.
  const filter = rules ? undefined : readFilter(words, raw, read ? hostAddon() : undefined);
  return { raw, request, filter, rules, display, owner, log };
}

function explain({ raw, request, filter }: TypedCapture): void {
  if (raw.explain) process.stdout.write(explainFilter(filter, request.via));
  if (raw.testFilter !== undefined) process.stdout.write(tryOnFile(filter, raw.testFilter));
}

/**
 * Does everything that can fail before a primary is joined, and before a mirror is set.
 * @param mirrored the port of a mirror's target VF, empty when the user named a port
 * @throws UsageError, DpcapError
 */
async function planFor(
  { request, filter, rules, owner }: TypedCapture,
  mirrored?: TargetPort,
): Promise<PlannedCapture> {
  const target = chooseTarget(request, owner);
  const picked = pickSource(mirrored?.filePrefix ?? request.filePrefix, request.via);
  const ports = await resolvePortNames(mirrored?.interface ?? request.ports, picked);
  // After joining, the engine looks for the port in any case. Telemetry does not list ports that another port owns, so
  // an unknown port is refused here only for a mirror, which may cost one of four rules.
  if (mirrored && picked.ports) selectPorts(ports, picked.ports.map(asPort));
  return { plan: createPlan({ ...request, ports }, filter, picked, target.to, commandLine(), rules), target };
}

function asPort({ id, name, rxQueues = 0, txQueues = 0 }: PortInfo): Port {
  return { id, name, rxQueues, txQueues };
}

async function capture(
  { raw, request, display, owner, log }: TypedCapture,
  { plan: planned, target, input }: PlannedCapture,
  context: CommandContext,
): Promise<void> {
  const plan = givingUpRoot(planned, owner);
  if (raw.dryRun) {
    process.stdout.write(`${JSON.stringify(plan, null, 2)}\n`);
    return;
  }
  const isPrinted = request.output.kind === 'print';
  const printing = await startPrinting(raw, isPrinted, plan, display);
  // Printed packets and a status line that is overwritten cannot share a screen.
  const reporter = await createReporter(request.stats, request.quiet || printing !== undefined, diagnostics);
  const foreground: ShownCapture = {
    output: [...(isPrinted ? [] : [describeTarget(target, request)]), ...(printing ? [printing.name] : [])].join(
      ' and ',
    ),
    inherited: printing?.inherited ?? target.inherits,
    onStarted: () => printing?.begin(),
    ...(input === undefined ? {} : { input }),
  };
  const done = await runInForeground(plan, foreground, reporter, log).finally(() => printing?.finished());
  if (request.output.kind === 'count' && done.stats) process.stdout.write(countLine(done.stats));
  const failure = done.reason === 'reader closed' ? printing?.failure() : undefined;
  if (!done.error && !failure) return;
  const error = done.error ? errorFromRecord(done.error) : (failure as DpcapError);
  if (done.stats === undefined) throw error;
  // The summary has been shown; only the reason why the capture ended is left to say.
  diagnostics.write(errorText(error, context.isJson));
  context.exitCode = error.exitCode;
}

/**
 * Without this check, `dpcap --file-prefix P list` would be a filter that cannot be parsed. No valid expression is a
 * command's name.
 */
function refuseLateCommand(word: string | undefined): void {
  if (!isCommand(word) || word === 'capture') return;
  throw new UsageError(`${word} is a command, and comes before the options`, {
    subject: word,
    hint: `write: dpcap ${word} ...`,
  });
}

function tryOnFile(filter: FilterProgram | undefined, path: string): string {
  try {
    return testFilter(filter, hostAddon().readCaptureFile(path), hostAddon());
  } catch (thrown) {
    throw nativeError(thrown);
  }
}

function checkLogLevel(text: string | undefined): LogLevel {
  const level = LOG_LEVELS.find((one) => one === (text ?? 'warn'));
  if (level) return level;
  throw new UsageError(`--log-level: unknown level ${text}`, { hint: `use ${LOG_LEVELS.join(', ')}` });
}
