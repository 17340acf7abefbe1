/** `dpcap [capture]`: the main job. Options to plan, plan to engine, engine to report. */

import type { Command } from 'commander';
import { binding } from '../binding.js';
import { commandLine, createPlan } from '../capture/create-plan.js';
import { type ForegroundOptions, runInForeground } from '../capture/foreground.js';
import { nativeError } from '../capture/native-error.js';
import { type CaptureOptions, checkOptions, type RawCaptureOptions } from '../capture/options.js';
import { type DisplayOptions, startPrinter } from '../capture/printer.js';
import { createReporter } from '../capture/report.js';
import { type CommandContext, isCommand, type RegisterCommand } from '../cli.js';
import { errorFromRecord, formatError, UsageError } from '../errors.js';
import type { FilterProgram } from '../filter/compile.js';
import { explainFilter, testFilter } from '../filter/explain.js';
import { createLogger, LOG_LEVELS, type LogLevel } from '../log.js';
import { pickPrimary } from '../primary/pick.js';
import type { RawCaptureMirror } from './capture-mirror.js';
import { addFilterOptions, collect, type RawFilterOptions, readFilter } from './filter-options.js';

type RawOptions = RawCaptureOptions &
  DisplayOptions &
  RawFilterOptions &
  RawCaptureMirror & { explain?: boolean; testFilter?: string; dryRun?: boolean; logLevel?: string; json?: boolean };

export const registerCapture: RegisterCommand = (program, context) => {
  const command = program
    .command('capture', { isDefault: true })
    .description('capture packets (the default command)')
    .argument('[expression...]', 'pcap-filter expression, as for tcpdump');
  addCaptureOptions(command);
  addFilterOptions(command);
  command.action(async (words: string[], raw: RawOptions) => {
    refuseLateCommand(words[0]);
    const { mirror } = raw;
    if (mirror === undefined || raw.dryRun) return capture(words, raw, context);
    checkOptions(raw); // a mistake there is told before a mirror is set
    const { captureMirrored } = await import('./capture-mirror.js');
    await captureMirrored({ ...raw, mirror }, (where) => capture(words, { ...raw, ...where }, context));
  });
};

function addCaptureOptions(command: Command): void {
  command
    .option('--file-prefix <prefix>', 'the primary to attach to (default: the only one that runs)')
    .option('-i, --interface <port>', 'port id, device name or any; repeatable (default: the first port)', collect)
    .option('-Q, --direction <direction>', 'rx, tx or both (in, out, inout)')
    .option('--queue <list>', 'queues, such as 0,2-5 (default: all)')
    .option('-w, --write <file>', 'write packets to a file, - for standard output (default: print them)')
    .option('-F, --format <format>', 'with -w: pcap or pcapng (default: by the suffix of the file)')
    .option('-s, --snapshot-length <bytes>', 'most bytes of a packet to keep, cut in the primary (0: 262144)')
    .option('-c, --count <n>', 'stop after exactly n packets')
    .option(
      '-a, --autostop <limit>',
      'stop at packets:N, duration:TIME (90, 5m, 30d) or filesize:KB; each once',
      collect,
    )
    .option(
      '-B, --buffer-size <KiB>',
      "memory for copies, in the primary's huge pages (default: 163840, and up to four times that under load)",
    )
    .option('--threads <n>', 'that take packets, at most one for each queue (default: as CPUs allow, up to 3)')
    .option('--time-precision <precision>', 'nano or micro (default: nano in files, micro when printing)')
    .option(
      '-j, --time-stamp-type <type>',
      'primary: stamped where packets are handled; host: on arrival here, cheaper',
    )
    .option('--stats <style>', 'text, ndjson or none, on standard error')
    .option('--stats-interval <time>', 'how often: seconds, or 500ms, 5m ... (default: 1)')
    .option('-q, --quiet', 'no running count (there is none while packets are printed)')
    .option('--mirror <spec>', 'while capturing, copy a VF to the captured one: pf=0,vf=1,direction=all,target=3')
    .option('--mirror-fifo <path>', "VFd's request FIFO")
    .option('--mirror-config <file>', "VFd's configuration (default: /etc/vfd/vfd.cfg)")
    .option('-n', 'no names, as ever; accepted for the habit of it')
    .option('-e', 'when printing: link-level headers')
    .option('-t', 'when printing: no time of day')
    .option('-v', 'when printing: more detail')
    .option('-x', 'when printing: hex')
    .option('-X', 'when printing: hex and ASCII')
    .option('-A', 'when printing: ASCII')
    .option('--explain', 'print what the filter compiles to and what it costs, and attach to nothing')
    .option('--test-filter <file>', 'say which packets of a pcap file would be captured, and attach to nothing')
    .option('--dry-run', 'print the plan and attach to nothing')
    .option('--log-level <level>', LOG_LEVELS.join(', '), 'warn');
}

async function capture(words: string[], raw: RawOptions, context: CommandContext): Promise<void> {
  const options = checkOptions(raw);
  const log = createLogger(checkLogLevel(raw.logLevel), 'dpcap');
  const filter = readFilter(words, raw);
  if (raw.explain || raw.testFilter !== undefined) {
    if (raw.explain) process.stdout.write(explainFilter(filter));
    if (raw.testFilter !== undefined) process.stdout.write(tryOnFile(filter, raw.testFilter));
    return;
  }
  if (options.output.kind === 'stdout' && process.stdout.isTTY) {
    throw new UsageError('-w -: standard output is a terminal', { hint: 'pipe it: dpcap -w - | tshark -r -' });
  }
  const output = options.output.kind === 'file' ? options.output : { kind: 'fd' as const, fd: 1 };
  const plan = createPlan(options, filter, pickPrimary(options.filePrefix), output, commandLine());
  if (raw.dryRun) {
    process.stdout.write(`${JSON.stringify(plan, null, 2)}\n`);
    return;
  }
  const printer = options.output.kind === 'print' ? await startPrinter(displayOptions(raw)) : undefined;
  // Printed packets and a line that is overwritten cannot share a screen.
  const reporter = await createReporter(options.stats, options.quiet || printer !== undefined, process.stderr);
  const stdout = printer?.input ?? (output.kind === 'fd' ? 'inherit' : 'ignore');
  const { durationMs } = options;
  const foreground: ForegroundOptions = { output: describeOutput(options), stdout, durationMs };
  const done = await runInForeground(plan, foreground, reporter, log).finally(() => printer?.finished());
  if (!done.error) return;
  const error = errorFromRecord(done.error);
  if (done.stats === undefined) throw error;
  // The summary has been shown: what is left to say is why it ended.
  process.stderr.write(`${formatError(error)}\n`);
  context.exitCode = error.exitCode;
}

/** The letters for tcpdump; it would take one that it does not know for a mistake. */
function displayOptions({ A, e, t, v, x, X, timePrecision }: RawOptions): DisplayOptions {
  return { A, e, t, v, x, X, nano: timePrecision === 'nano' } as DisplayOptions;
}

/** `dpcap --file-prefix P list` would otherwise be a filter that cannot be parsed: no expression is a command's name. */
function refuseLateCommand(word: string | undefined): void {
  if (!isCommand(word) || word === 'capture') return;
  throw new UsageError(`${word} is a command, and comes before the options`, {
    subject: word,
    hint: `write: dpcap ${word} ...`,
  });
}

function tryOnFile(filter: FilterProgram | undefined, path: string): string {
  try {
    return testFilter(filter, binding().readCaptureFile(path), binding());
  } catch (thrown) {
    throw nativeError(thrown);
  }
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
