/** Runs one TAP-emitting test file in a process of its own and judges what came out of it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { type FinalResults, Parser, type Result } from 'tap-parser';

/** One failed assertion, or one complaint about the file as a whole. */
export interface Failure {
  /** Names of the enclosing subtests and the assertion, joined with " > ". */
  name: string;
  /** tap's diagnostics (diff, stack, ...), when there were any. */
  diag?: unknown;
}

/** An assertion or subtest that did not run. */
export interface Skip {
  name: string;
  reason: string;
}

/** Everything the runner knows about a file after it ended. */
export interface FileResult {
  file: string;
  passed: number;
  failures: Failure[];
  skips: Skip[];
  durationMs: number;
  /** What the file wrote to stderr, and to stdout outside of TAP; shown when it failed. */
  output: string;
  pid: number;
}

/** How {@link runTapFile} treats a file. */
export interface RunOptions {
  /** A file that runs longer is stopped and counts as failed. */
  timeLimitMs: number;
  /** Between SIGTERM (tap reports what hung) and SIGKILL. Default 5000. */
  graceMs?: number;
  /** What runs the file, in place of this node: an emulator and the node that it runs, for instance. */
  command?: string[];
  /** Called once the process is gone; each string it returns is one more failure. */
  afterFile?: (pid: number) => Promise<string[]>;
}

/** How a process ended. */
interface Ending {
  code: number | null;
  signal: NodeJS.Signals | null;
  timedOut: boolean;
  error?: Error;
}

const OUTPUT_LIMIT = 64 * 1024;
const running = new Set<ChildProcess>();

/** Sends a signal to every test file still running, with everything it started. */
export function signalRunning(signal: NodeJS.Signals): void {
  for (const child of running) signalGroup(child, signal);
}

/** Runs `file` and collects its TAP. Never rejects: whatever goes wrong is a failure in the result. */
export async function runTapFile(file: string, options: RunOptions): Promise<FileResult> {
  const started = performance.now();
  const result: FileResult = { file, passed: 0, failures: [], skips: [], durationMs: 0, output: '', pid: 0 };
  const parser = new Parser();
  collect(parser, result);
  const complete = new Promise<FinalResults>((resolve) => parser.once('complete', resolve));
  const [program, ...words] = options.command ?? [];
  const child = spawn(program ?? process.execPath, [...words, '--enable-source-maps', file], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // a process group of its own, so that a time-out takes its children along
    env: { ...process.env, DPCAP_CONFIG: '', TAP_TIMEOUT: String(Math.ceil(options.timeLimitMs / 1000)) },
  });
  result.pid = child.pid ?? 0;
  child.stdout.setEncoding('utf8').on('data', (text: string) => parser.write(text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => keepOutput(result, text));
  const ending = await waitFor(child, options);
  parser.end();
  judge(result, parser, await complete, ending);
  for (const complaint of (await options.afterFile?.(result.pid)) ?? []) result.failures.push({ name: complaint });
  result.durationMs = performance.now() - started;
  return result;
}

/** Counts leaves: the parser leaves out a subtest's closing line unless it says something of its own. */
function collect(parser: Parser, result: FileResult): void {
  parser.on('pass', () => result.passed++);
  parser.on('fail', (point: Result) => {
    result.failures.push({ name: nameOf(point), ...(point.diag ? { diag: point.diag } : {}) });
  });
  parser.on('skip', (point: Result) => result.skips.push({ name: nameOf(point), reason: reasonOf(point.skip) }));
  parser.on('todo', (point: Result) =>
    result.skips.push({ name: nameOf(point), reason: `todo ${reasonOf(point.todo)}` }),
  );
  parser.on('extra', (text: string) => keepOutput(result, text));
}

function nameOf(point: Result): string {
  return point.fullname || point.name;
}

function reasonOf(directive: boolean | string): string {
  return typeof directive === 'string' && directive ? directive : '(no reason given)';
}

function keepOutput(result: FileResult, text: string): void {
  result.output = (result.output + text).slice(-OUTPUT_LIMIT);
}

function waitFor(child: ChildProcess, options: RunOptions): Promise<Ending> {
  running.add(child);
  return new Promise((resolve) => {
    let timedOut = false;
    let hardStop: NodeJS.Timeout | undefined;
    const softStop = setTimeout(() => {
      timedOut = true;
      signalLeader(child, 'SIGTERM');
      hardStop = setTimeout(() => signalGroup(child, 'SIGKILL'), options.graceMs ?? 5000);
    }, options.timeLimitMs);
    const settle = (ending: Ending): void => {
      clearTimeout(softStop);
      clearTimeout(hardStop);
      running.delete(child);
      resolve(ending);
    };
    child.once('error', (error) => settle({ code: null, signal: null, timedOut, error }));
    // A grandchild may hold the pipes open after the file itself is gone: give it no more than a moment.
    child.once('exit', () => setTimeout(() => signalGroup(child, 'SIGKILL'), 500).unref());
    child.once('close', (code, signal) => settle({ code, signal, timedOut }));
  });
}

function signalLeader(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.exitCode === null && child.signalCode === null) child.kill(signal);
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // ESRCH: nobody is left in the group, which is what was wanted.
  }
}

/** Turns the ways a file can fail as a whole into failures; a file that is merely silent is one of them. */
function judge(result: FileResult, parser: Parser, final: FinalResults, ending: Ending): void {
  const complain = (name: string): number => result.failures.push({ name });
  const assertFailures = result.failures.length;
  if (ending.error) complain(`could not be started: ${ending.error.message}`);
  if (ending.timedOut) complain('timed out');
  else if (ending.signal) complain(`was killed by ${ending.signal}`);
  if (final.bailout) complain(`bailed out: ${final.bailout === true ? '(no reason given)' : final.bailout}`);
  for (const failure of final.failures) {
    if (failure.tapError) complain(`invalid TAP: ${failure.tapError}`);
  }
  if (parser.syntheticPlan) complain('printed no test results');
  else if (final.plan.skipAll) result.skips.push({ name: 'the whole file', reason: reasonOf(final.plan.skipReason) });
  if (result.failures.length === 0 && !final.ok) complain('TAP says "not ok" without saying why');
  if (ending.code && assertFailures === 0) complain(`exited with code ${ending.code}`);
}
