/** Another secondary process of the primary (test/native/primaries/secondary.c): stopped, continued, killed, and holding locks. */
import type { Test } from 'tap';
import { built } from './built.js';
import type { Joinable } from './capture.js';
import { type Exit, type Running, start } from './processes.js';
import { continueProcess, stopProcess } from './stopped.js';

/** EAL's locks in shared memory that it can hold: of hot-plugged memory, of memzones and rings, of the mempool list. */
export const EAL_LOCKS = ['memory', 'tailq', 'mempool'] as const;
export type EalLock = (typeof EAL_LOCKS)[number];

/** How long it may take to carry a command out: EAL's locks are held for milliseconds. */
const ANSWER_MS = 5000;

/** A running `dpdk-secondary`. */
export class Secondary {
  readonly process: Running;

  /** Use {@link startSecondary}. */
  constructor(process: Running) {
    this.process = process;
  }

  get pid(): number {
    return this.process.pid;
  }

  /** Resolves when it stands still. */
  stop(): Promise<void> {
    return stopProcess(this.pid);
  }

  continue(): void {
    continueProcess(this.pid);
  }

  /** Takes one of EAL's locks for writing; whoever wants it spins until {@link unlock}. */
  async lock(lock: EalLock): Promise<void> {
    await this.#ask(`lock ${lock}`);
  }

  async unlock(lock: EalLock): Promise<void> {
    await this.#ask(`unlock ${lock}`);
  }

  /** Takes queue 0 rx of a port over from whoever captures it. @throws Error when the primary refuses */
  async take(port: number): Promise<void> {
    const result = await this.#ask(`take ${port}`);
    if (result !== 0) throw new Error(`port ${port} was not taken over: ${result}`);
  }

  /** Gives it up. Resolves with whether it still had it. */
  async release(port: number): Promise<boolean> {
    return (await this.#ask(`release ${port}`)) === 0;
  }

  /** Packets that the pdump callback of queue 0 rx has seen since it was enabled. */
  count(port: number): Promise<number> {
    return this.#ask(`count ${port}`);
  }

  /** Ends it in order, also when it is stopped. */
  async close(): Promise<Exit> {
    this.process.signal('SIGCONT');
    this.process.closeStdin();
    const late = setTimeout(() => this.process.signal('SIGKILL'), 10_000);
    const exit = await this.process.exited;
    clearTimeout(late);
    return exit;
  }

  async #ask(command: string): Promise<number> {
    const from = this.process.stdout.length;
    this.process.write(`${command}\n`);
    const answer = await this.process.expect(new RegExp(`^${command} (-?\\d+)$`, 'm'), {
      from,
      stream: 'stdout',
      timeoutMs: ANSWER_MS,
    });
    return Number(answer[1]);
  }
}

/** Starts one and waits until it has joined. It ends with the test. */
export async function startSecondary(t: Test, primary: Joinable, args: string[] = []): Promise<Secondary> {
  const secondary = await joinAsSecondary(primary, args);
  t.teardown(() => secondary.close());
  return secondary;
}

/**
 * As {@link startSecondary}, outside of a test: whoever starts it ends it.
 * @param within a command that runs it, such as `unshare --pid --fork`
 */
export async function joinAsSecondary(
  primary: Joinable,
  args: string[] = [],
  within: string[] = [],
): Promise<Secondary> {
  const [program, ...words] = [...within, built('dpdk-secondary'), primary.prefix, ...args];
  const process = start(program as string, words);
  try {
    await process.expect(/^ready$/m);
    return new Secondary(process);
  } catch (error) {
    process.signal('SIGKILL'); // it spins, perhaps
    throw error;
  }
}

/** Asserts that nobody holds one of EAL's locks for longer than a moment: a process that died with one holds it for ever. */
export async function locksAreFree(t: Test, primary: Joinable, what: string): Promise<void> {
  const secondary = await joinAsSecondary(primary).catch(() => undefined);
  t.ok(secondary, `${what}: another secondary can join`);
  if (!secondary) return;
  for (const lock of EAL_LOCKS) {
    const isFree = await secondary.lock(lock).then(
      () => true,
      () => false,
    );
    t.ok(isFree, `${what}: nobody holds the lock ${lock}`);
    if (!isFree) secondary.process.signal('SIGKILL'); // it spins
    if (!isFree) break;
    await secondary.unlock(lock);
  }
  await secondary.close();
}
