/** Starts processes whose output a test can wait for, and makes sure that none outlives the test. */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { projectFile } from '../../src/system/location.js';
import { atExit } from './at-exit.js';
import { OWNER_VARIABLE } from './owned.js';

process.env[OWNER_VARIABLE] = String(process.pid);

const PROJECT = projectFile('');
const DEFAULT_TIMEOUT_MS = 20_000;
/** A process that is killed is gone within milliseconds, where the kernel has a CPU for it. */
const MOST_DEATH_MS = 2000;

/** How a process ended; exactly one of the two is null. */
export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** What a finished command wrote. */
export interface Finished extends Exit {
  stdout: string;
  stderr: string;
}

/** Where {@link Running.expect} looks, and for how long. */
export interface ExpectOptions {
  timeoutMs?: number;
  /** Offset into the stream to search from; default 0, so text that is already there counts. */
  from?: number;
  /** Default `output`: both streams. */
  stream?: 'output' | 'stdout' | 'stderr';
}

/** A running process with its output so far. */
export class Running {
  /** stdout and stderr as they came, interleaved. */
  output = '';
  stdout = '';
  stderr = '';
  /** Settles when the process has ended and its output is complete. */
  readonly exited: Promise<Exit>;
  readonly command: string;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #watchers = new Set<() => void>();
  #ended = false;

  constructor(file: string, args: string[], options: { env?: NodeJS.ProcessEnv; cwd?: string } = {}) {
    this.command = [file, ...args].join(' ');
    this.#child = spawn(file, args, { ...options, env: { ...process.env, ...options.env }, stdio: 'pipe' });
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => this.#take('stdout', text));
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => this.#take('stderr', text));
    this.#child.stdin.on('error', () => {}); // EPIPE: it ended before it read; its exit code tells
    this.#child.on('error', (error) => this.#take('stderr', `${error.message}\n`));
    const forget = atExit(() => {
      this.signal('SIGKILL');
      awaitDeath(this.pid);
    });
    this.exited = new Promise((resolve) => {
      this.#child.once('close', (code, signal) => {
        forget();
        this.#ended = true;
        resolve({ code, signal });
        this.#notify();
      });
    });
  }

  /** 0 when it could not be started. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  alive(): boolean {
    return !this.#ended && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Sends a signal; does nothing when the process has ended. */
  signal(signal: NodeJS.Signals): void {
    if (this.alive() && this.pid > 0) this.#child.kill(signal);
  }

  /** Writes to its stdin. */
  write(text: string): void {
    this.#child.stdin.write(text);
  }

  closeStdin(): void {
    this.#child.stdin.end();
  }

  /**
   * Waits until the output matches.
   * @throws Error with the output's end when it does not within the time, or the process ends first
   */
  expect(pattern: RegExp, options: ExpectOptions = {}): Promise<RegExpMatchArray> {
    const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    return new Promise((resolve, reject) => {
      const finish = (act: () => void): void => {
        clearTimeout(timer);
        this.#watchers.delete(look);
        act();
      };
      const giveUp = (why: string): void => finish(() => reject(new Error(this.#complaint(pattern, why))));
      const look = (): void => {
        const match = this[options.stream ?? 'output'].slice(options.from ?? 0).match(pattern);
        if (match) finish(() => resolve(match));
        else if (this.#ended) giveUp('the process ended');
      };
      const timer = setTimeout(() => giveUp(`${timeoutMs} ms passed`), timeoutMs);
      this.#watchers.add(look);
      look();
    });
  }

  /** Waits for its end; kills it, and rejects, when that takes too long. */
  async wait(timeoutMs: number = DEFAULT_TIMEOUT_MS): Promise<Finished> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.signal('SIGKILL');
    }, timeoutMs);
    const exit = await this.exited;
    clearTimeout(timer);
    if (late) throw new Error(`${this.command}: did not end within ${timeoutMs} ms\n${this.output.slice(-2000)}`);
    return { ...exit, stdout: this.stdout, stderr: this.stderr };
  }

  /** Sends `signal` and waits for the end. */
  async stop(signal: NodeJS.Signals = 'SIGINT', timeoutMs: number = DEFAULT_TIMEOUT_MS): Promise<Finished> {
    this.signal(signal);
    return this.wait(timeoutMs);
  }

  #take(stream: 'stdout' | 'stderr', text: string): void {
    this[stream] += text;
    this.output += text;
    this.#notify();
  }

  #notify(): void {
    for (const look of [...this.#watchers]) look();
  }

  #complaint(pattern: RegExp, why: string): string {
    return `${this.command}: ${why} before ${pattern} was seen in:\n${this.output.slice(-2000)}`;
  }
}

/** Starts a program. */
export function start(file: string, args: string[], options: { env?: NodeJS.ProcessEnv; cwd?: string } = {}): Running {
  return new Running(file, args, options);
}

/** `bin/dpcap` of this project. */
export const DPCAP = `${PROJECT}bin/dpcap`;

/** Starts it. */
export function startDpcap(args: string[], options: { env?: NodeJS.ProcessEnv; cwd?: string } = {}): Running {
  return new Running(DPCAP, args, options);
}

/** Runs it to its end, whatever its exit code. */
export function runDpcap(args: string[], timeoutMs?: number): Promise<Finished> {
  const running = startDpcap(args);
  running.closeStdin();
  return running.wait(timeoutMs);
}

/**
 * Runs a short command to its end and returns what it wrote to stdout. Blocks: for tools that answer at once.
 * @throws Error with its stderr when the exit code is not 0
 */
export function run(file: string, args: string[], options: { input?: string; timeoutMs?: number } = {}): string {
  const { status, signal, stdout, stderr, error } = spawnSync(file, args, {
    encoding: 'utf8',
    maxBuffer: 1 << 30,
    timeout: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    ...(options.input === undefined ? {} : { input: options.input }),
  });
  if (status === 0) return stdout;
  const why = error?.message ?? (signal ? `killed by ${signal}` : `exit code ${status}`);
  throw new Error(`${[file, ...args].join(' ')}: ${why}\n${stderr}`);
}

/** Blocks until a killed process does nothing any more: what it would still make would outlive the clean-up that follows. */
function awaitDeath(pid: number): void {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let waited = 0; waited < MOST_DEATH_MS && !isDead(pid); waited++) Atomics.wait(pause, 0, 0, 1);
}

/** A zombie without other threads is: nobody reaps it before this process ends. */
function isDead(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return /^\) [ZX] /.test(stat.slice(stat.lastIndexOf(')'))) && readdirSync(`/proc/${pid}/task`).length === 1;
  } catch {
    return true;
  }
}
