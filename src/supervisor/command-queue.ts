/** Runs a program for each finished file of a capture (-z): beside the capture, which it must not hold up. */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { setPriority } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { errnoOf } from '../errors.js';
import type { Account } from '../system/users/accounts.js';

/** So many commands run at a time. */
const AT_ONCE = 2;
/** So many files may wait for their command. */
const MOST_WAITING = 1000;
/** How long the commands are waited for when the capture has ended. */
const END_WAIT_MS = 5000;
/** So many failures are told one by one. */
const MOST_TOLD = 5;
/** The lowest priority, as with tcpdump: a command that compresses must not take CPU time from the capture. */
const LOWEST = 19;

/** Runs a program for each file, with its name as the only argument and without a shell: a few at a time. */
export class CommandQueue {
  readonly #command: string;
  readonly #notice: (text: string) => void;
  readonly #as: { uid: number | undefined; gid: number | undefined };
  readonly #endWaitMs: number;
  readonly #waiting: string[] = [];
  readonly #running = new Map<ChildProcess, string>();
  #failures = 0;
  #skipped = 0;
  #idle: () => void = () => {};

  /**
   * @param as whom the program is run as; default: this process's user
   * @param endWaitMs how long end() waits; only tests change it
   */
  constructor(command: string, notice: (text: string) => void, as: Partial<Account> = {}, endWaitMs = END_WAIT_MS) {
    this.#command = command;
    this.#notice = notice;
    this.#as = { uid: as.uid, gid: as.gid };
    this.#endWaitMs = endWaitMs;
  }

  add(path: string): void {
    if (this.#waiting.length < MOST_WAITING) this.#waiting.push(path);
    else if (this.#skipped++ === 0)
      this.#notice(`-z ${this.#command} cannot keep up: it is not run for ${path}, nor for other files meanwhile`);
    this.#next();
  }

  /** Waits until all have ended. Those that take too long are left running, as tcpdump leaves them. */
  async end(): Promise<void> {
    const done = new Promise<void>((resolve) => {
      this.#idle = resolve;
    });
    this.#tellIdle();
    const late = new AbortController();
    await Promise.race([done, sleep(this.#endWaitMs, undefined, { signal: late.signal }).catch(() => undefined)]);
    late.abort();
    const unseen = this.#failures - MOST_TOLD;
    if (unseen > 0) this.#notice(`-z ${this.#command} failed for ${unseen} more files`);
    for (const [child, path] of this.#running) {
      this.#notice(`-z ${this.#command} still works on ${path} (pid ${child.pid}) and is left to it`);
      child.unref();
    }
    const waiting = this.#waiting.splice(0);
    const left = this.#skipped + waiting.length;
    if (left > 0) this.#notice(`-z ${this.#command} was not run for ${left} files${naming(waiting)}`);
  }

  #next(): void {
    while (this.#running.size < AT_ONCE) {
      const path = this.#waiting.shift();
      if (path === undefined) return;
      this.#start(path);
    }
  }

  #start(path: string): void {
    // A group of its own: Ctrl-C ends the capture, and not what is done with its files.
    const stdio: StdioOptions = ['ignore', 'inherit', 'inherit'];
    const child = spawn(this.#command, [path], { stdio, detached: true, ...this.#as });
    this.#running.set(child, path);
    let isOver = false;
    const over = (failure: string | undefined): void => {
      if (isOver) return;
      isOver = true;
      this.#running.delete(child);
      if (failure !== undefined && this.#failures++ < MOST_TOLD)
        this.#notice(`-z ${this.#command} failed for ${path}: ${failure}`);
      this.#next();
      this.#tellIdle();
    };
    child.once('error', (error) => over(error.message));
    child.once('exit', (code, signal) => over(code === 0 ? undefined : (signal ?? `exit code ${code}`)));
    if (child.pid !== undefined) lowerPriority(child.pid);
  }

  #tellIdle(): void {
    if (this.#running.size === 0 && this.#waiting.length === 0) this.#idle();
  }
}

function lowerPriority(pid: number): void {
  try {
    setPriority(pid, LOWEST);
  } catch (error) {
    if (errnoOf(error) !== 'ESRCH') throw error; // it has ended already
  }
}

function naming(paths: readonly string[]): string {
  if (paths.length === 0) return '';
  return `: ${paths.slice(0, 3).join(', ')}${paths.length > 3 ? ' ...' : ''}`;
}
