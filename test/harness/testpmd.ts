/** A stock dpdk-testpmd as the primary under test: driven through its prompt, awaited by its output, cleaned up after. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Test } from 'tap';
import { installedAgent } from '../helpers/native.js';
import { agentServes } from './agent-socket.js';
import { atExit } from './at-exit.js';
import { removeEalFiles, uniqueName } from './owned.js';
import { type Exit, type ExpectOptions, type Running, start } from './processes.js';
import {
  type Forwarding,
  parseAvailable,
  parseForwarding,
  parseHeapMb,
  parseMempools,
  parseMemzones,
  parseRings,
  type Snapshot,
} from './testpmd-output.js';

export type { Forwarding, Snapshot };

const PROMPT = /testpmd> /;
const QUIT_TIMEOUT_MS = 10_000;
const FORWARD_TIMEOUT_MS = 20_000;

/** What kind of primary to start. */
export interface TestpmdOptions {
  /** `--vdev` arguments, e.g. `net_null0` or `net_pcap0,rx_pcap=/tmp/a.pcap,tx_pcap=/tmp/b.pcap`. */
  vdevs: string[];
  /** More application arguments, after the `--`. */
  args?: string[];
  /** More EAL arguments, before the `--`. */
  eal?: string[];
  /** EAL's `-l`; default `0,1`: the prompt on CPU 0, forwarding on CPU 1. testpmd needs at least two. */
  cores?: string;
  /** Hugepage memory taken at the start; default 64. */
  memoryMb?: number;
  /** Default 8192. */
  mbufs?: number;
  /** Default: one that carries this test's pid. */
  prefix?: string;
  /** More environment. */
  env?: NodeJS.ProcessEnv;
  /** A command that runs it, such as `unshare --mount`. */
  within?: string[];
}

/** A running testpmd. */
export class Testpmd {
  readonly prefix: string;
  readonly process: Running;
  /** How it ended. */
  readonly exited: Promise<Exit>;
  readonly #forget: () => void;
  #turn: Promise<unknown> = Promise.resolve();

  /** Use {@link startTestpmd}. */
  constructor(prefix: string, process: Running, forget: () => void) {
    this.prefix = prefix;
    this.process = process;
    this.exited = process.exited;
    this.#forget = forget;
  }

  get pid(): number {
    return this.process.pid;
  }

  alive(): boolean {
    return this.process.alive();
  }

  /**
   * Types `text` at the prompt and returns what it printed up to the next prompt. Calls queue up.
   * @param until must match the answer, else the promise rejects
   */
  command(text: string, until?: RegExp): Promise<string> {
    const answer = this.#turn.then(() => this.#ask(text, until));
    this.#turn = answer.catch(() => {});
    return answer;
  }

  /** Waits until its output, past or future, matches. */
  expect(pattern: RegExp, options: ExpectOptions = {}): Promise<RegExpMatchArray> {
    return this.process.expect(pattern, options);
  }

  /** What testpmd dumps of EAL. The command was one word until 25.03, and is two from then on. */
  async dump(what: string): Promise<string> {
    const answer = await this.command(`dump_${what}`);
    return /Command not found|Bad arguments/.test(answer) ? this.command(`dump ${what}`) : answer;
  }

  /** Names of its memzones, rings and mempools. */
  async snapshot(): Promise<Snapshot> {
    return {
      memzones: parseMemzones(await this.dump('memzone')),
      rings: parseRings(await this.dump('ring')),
      mempools: parseMempools(await this.dump('mempool')),
    };
  }

  /** The mbufs of each mempool that nobody has taken. */
  async available(): Promise<Record<string, number>> {
    return parseAvailable(await this.dump('mempool'));
  }

  /** Megabytes allocated in its heaps, also by secondaries. */
  async heapMb(): Promise<number> {
    return parseHeapMb(await this.dump('socket_mem'));
  }

  /** Packets forwarded since `start`, of one port or of all. */
  async forwarding(port: number | 'all' = 'all'): Promise<Forwarding> {
    return parseForwarding(await this.command('show fwd stats all'), port);
  }

  /** Waits until `port` has transmitted at least `packets` since `start`. @throws Error when it does not in 20 s */
  async forwarded(packets: number, port: number | 'all' = 'all'): Promise<Forwarding> {
    const deadline = Date.now() + FORWARD_TIMEOUT_MS;
    for (;;) {
      const forwarding = await this.forwarding(port);
      if (forwarding.txPackets >= packets) return forwarding;
      if (Date.now() > deadline) throw new Error(`port ${port} transmitted ${forwarding.txPackets} of ${packets}`);
      await delay(10);
    }
  }

  /** Quits in good order; kills it when it does not answer. Removes its files. Harmless when it has ended already. */
  async stop(options: { keepFiles?: boolean } = {}): Promise<Exit> {
    if (this.alive()) {
      this.process.write('quit\n');
      this.process.closeStdin();
      const late = setTimeout(() => this.process.signal('SIGKILL'), QUIT_TIMEOUT_MS);
      await this.exited;
      clearTimeout(late);
    }
    return options.keepFiles ? this.exited : this.#cleaned();
  }

  /** Ends it without warning, as a crash would. `keepFiles` leaves its hugepages and runtime directory for `stop()`. */
  async kill(signal: NodeJS.Signals = 'SIGKILL', options: { keepFiles?: boolean } = {}): Promise<Exit> {
    this.process.signal(signal);
    return options.keepFiles ? this.exited : this.#cleaned();
  }

  async #ask(text: string, until?: RegExp): Promise<string> {
    const from = this.process.stdout.length;
    this.process.write(`${text}\n`);
    const prompt = await this.expect(PROMPT, { from, stream: 'stdout' });
    const answer = this.process.stdout.slice(from, from + (prompt.index ?? 0)).replace(/^[^\n]*\n/, '');
    if (until && !until.test(answer)) throw new Error(`testpmd "${text}": no ${until} in:\n${answer}`);
    return answer;
  }

  async #cleaned(): Promise<Exit> {
    const exit = await this.exited;
    removeEalFiles(this.prefix);
    this.#forget();
    return exit;
  }
}

/**
 * Starts dpdk-testpmd and waits for its prompt. Ports are started, forwarding is not: `command('start')` does that.
 * @throws Error with its output when it does not come up
 */
export async function startTestpmd(options: TestpmdOptions): Promise<Testpmd> {
  const prefix = options.prefix ?? uniqueName();
  const forget = atExit(() => removeEalFiles(prefix));
  // stdbuf: through a pipe, stdio would hold the output back until its buffer is full.
  const words = [...(options.within ?? []), 'stdbuf', '-oL', 'dpdk-testpmd', ...testpmdArguments(prefix, options)];
  const running = start(words[0] as string, words.slice(1), { env: { ...agentEverywhere(), ...options.env } });
  const testpmd = new Testpmd(prefix, running, forget);
  try {
    await testpmd.expect(PROMPT);
    if (isThroughAgent && options.within === undefined) await agentServes(prefix, testpmd.pid);
    return testpmd;
  } catch (error) {
    await testpmd.kill();
    throw error;
  }
}

/** With DPCAP_TEST_AGENT=1 each testpmd has dpcap's agent, so that captures go through it: one suite for both backends. */
export const isThroughAgent = process.env.DPCAP_TEST_AGENT === '1';

function agentEverywhere(): NodeJS.ProcessEnv {
  return isThroughAgent ? { LD_PRELOAD: installedAgent() } : {};
}

function testpmdArguments(prefix: string, options: TestpmdOptions): string[] {
  const eal = ['-l', options.cores ?? '0,1', '--no-pci', '--file-prefix', prefix, '-m', `${options.memoryMb ?? 64}`];
  const vdevs = options.vdevs.flatMap((vdev) => ['--vdev', vdev]);
  // Without --no-flush-rx, `start` would swallow what net_pcap has to replay.
  const application = ['-i', '--no-flush-rx', `--total-num-mbufs=${options.mbufs ?? 8192}`, ...(options.args ?? [])];
  return [...eal, ...vdevs, ...(options.eal ?? []), '--', ...application];
}

/** A testpmd at full load, which ends with the test. */
export async function underLoad(t: Test, options: Partial<TestpmdOptions> = {}): Promise<Testpmd> {
  const testpmd = await startTestpmd({ vdevs: ['net_null0', 'net_null1'], ...options });
  t.teardown(() => testpmd.stop());
  await testpmd.command('start');
  return testpmd;
}
