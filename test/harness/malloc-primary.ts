/** A primary whose allocator is timed (test/native/primaries/malloc-primary.c). */
import { cpus } from 'node:os';
import { isAbsolute } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { built } from './built.js';
import { uniqueName } from './owned.js';
import { type OwnedPrimary, startOwnedPrimary } from './owned-primary.js';
import type { Exit, Running } from './processes.js';

/** One call of rte_malloc or rte_free; times in microseconds. */
export interface AllocatorCall {
  /** Without the time in which the thread was ready to run and had no CPU. */
  waitUs: number;
  wallUs: number;
  cpuUs: number;
  runDelayUs: number;
  call: 'malloc' | 'free';
  size: number;
}

/** Since the last reset. */
export interface AllocatorWaits {
  /** Forwarded so far; the reset has no part in it. */
  packets: number;
  calls: number;
  longest: AllocatorCall;
  /** How many of the calls of 50 us and more waited how long. */
  histogram: Record<string, number>;
}

/** A running `dpdk-malloc-primary`. */
export class MallocPrimary {
  readonly prefix: string;
  readonly process: Running;
  readonly #primary: OwnedPrimary;

  /** Use {@link startMallocPrimary}. */
  constructor(primary: OwnedPrimary) {
    this.prefix = primary.prefix;
    this.process = primary.process;
    this.#primary = primary;
  }

  get pid(): number {
    return this.process.pid;
  }

  alive(): boolean {
    return this.process.alive();
  }

  async forward(state: 'on' | 'off'): Promise<void> {
    await this.#ask(`forward ${state}`, /^done forward .*$/m);
  }

  async reset(): Promise<void> {
    await this.#ask('reset', /^done reset$/m);
  }

  async waits(): Promise<AllocatorWaits> {
    return JSON.parse(await this.#ask('max', /^\{.*\}$/m)) as AllocatorWaits;
  }

  /** Whether it can have so much of its memory in one piece. */
  async hasRoomFor(mib: number): Promise<boolean> {
    return (await this.#ask(`take ${mib}`, /^room (yes|no)$/m)) === 'room yes';
  }

  /** Resolves when it has forwarded so many packets more. */
  async forwarded(packets: number): Promise<void> {
    const until = (await this.waits()).packets + packets;
    while ((await this.waits()).packets < until) await delay(10);
  }

  /** Ends it in order, or by force, and removes its files. */
  stop(): Promise<Exit> {
    return this.#primary.stop();
  }

  async #ask(command: string, answer: RegExp): Promise<string> {
    const from = this.process.stdout.length;
    this.process.write(`${command}\n`);
    return (await this.process.expect(answer, { from, stream: 'stdout' }))[0];
  }
}

/**
 * Starts it and waits until it allocates. The allocating thread has a CPU of its own where there are three, so that a
 * capture has one as well. With fewer the forwarding one shares it, with a tenth of its time.
 * @param more EAL arguments
 * @param program a target of CMakeLists.txt, or the path of an executable
 * @param env more environment
 * @throws Error with its output
 */
export async function startMallocPrimary(
  vdevs: string[],
  more: string[] = [],
  program = 'dpdk-malloc-primary',
  env: NodeJS.ProcessEnv = {},
): Promise<MallocPrimary> {
  const prefix = uniqueName();
  const placement = cpus().length > 2 ? ['--lcores', '0@0,1@1,2@0'] : ['--lcores', '0@0,1@0,2@0'];
  const eal = ['--no-pci', '-m', '64', '--file-prefix', prefix, ...placement, ...more];
  const nice = cpus().length > 2 ? '0' : '10';
  const devices = vdevs.flatMap((vdev) => ['--vdev', vdev]);
  const words = ['-n', nice, '--', ...eal, ...devices];
  return new MallocPrimary(await startOwnedPrimary(prefix, isAbsolute(program) ? program : built(program), words, env));
}
