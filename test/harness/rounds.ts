/** Has engines come and go beside an application at full load, and looks whether that has what it had. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { type Belongings, belongings, belongingsLike } from './agent.js';
import type { Testpmd } from './testpmd.js';

/** What the C library keeps of what was freed. A session of an agent's that was not freed would be 2 KiB, or a mapping. */
const MOST_GROWTH_KIB = 512;
const RATE_MS = 1000;
/** Engines whose traces may be in the application at the same time. */
const MOST_AT_ONCE = 3;

/** What an application has, and what else must not change. */
interface State extends Belongings {
  heapMb: number;
  beside: string;
}

/** An application that forwards, and the engines. */
export interface Subject {
  testpmd: Testpmd;
  /** A module that captures: until it is killed, or as often as its last argument says. */
  engine: string;
  /** Its first arguments. */
  words: string[];
  /** Looks at what else must not change, as soon as it has settled. */
  beside?: () => Promise<string>;
}

/** Rounds beside an application as it was when they began. */
export class Rounds {
  /** How often something was not as it has to be. */
  failures = 0;
  readonly #subject: Subject;
  readonly #had: State;
  readonly #hadKib: number;

  private constructor(subject: Subject, had: State) {
    this.#subject = subject;
    this.#had = had;
    this.#hadKib = privateKib(subject.testpmd.pid);
  }

  /**
   * Engines come and go first, at the same time: with each the application may get a thread of DPDK's telemetry, whose stack
   * the C library keeps for the next one. That of a killed engine may still be there when the next one asks.
   */
  static async begin(subject: Subject): Promise<Rounds> {
    await Promise.all(Array.from({ length: MOST_AT_ONCE }, () => once(start(subject, '1'), 'exit')));
    const had = { ...belongings(subject.testpmd.pid), ...(await others(subject)) };
    const rate = (await forwardingRate(subject.testpmd)).toFixed(1);
    process.stdout.write(`before: ${JSON.stringify(had)}, ${rate} Mpps\n`);
    return new Rounds(subject, had);
  }

  /** One engine captures so many times. */
  async startAndStop(rounds: number): Promise<void> {
    const [code] = await once(start(this.#subject, String(rounds)), 'exit');
    if (code !== 0) this.failures++;
    await this.report(`${rounds} captures started and stopped, exit code ${code}`);
  }

  /** So many engines are killed, each at a moment of its own. `mostMs`: longer than one takes until it captures. */
  async kill(rounds: number, mostMs: number): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      const one = start(this.#subject);
      await Promise.race([once(one, 'exit'), delay(Math.random() * mostMs)]);
      one.kill('SIGKILL');
      if (one.exitCode === null && one.signalCode === null) await once(one, 'exit');
      if (one.exitCode) this.failures++;
    }
    await this.report(`${rounds} engines killed at any moment`);
  }

  /** Says whether the application forwards, and has what it had; and, which is not judged, how fast. */
  async report(what: string): Promise<void> {
    const { testpmd } = this.#subject;
    const { heapMb: _heap, beside: _beside, ...own } = this.#had;
    const now: State = { ...(await belongingsLike(own, testpmd.pid)), ...(await others(this.#subject)) };
    const grownKib = privateKib(testpmd.pid) - this.#hadKib;
    const { txPackets } = await testpmd.forwarding();
    await testpmd.forwarded(txPackets + 1000);
    const [is, was] = [JSON.stringify(now), JSON.stringify(this.#had)];
    const isAsBefore = is === was && grownKib <= MOST_GROWTH_KIB;
    if (!isAsBefore) this.failures++;
    const rest = `${grownKib} KiB more of its own memory, ${(await forwardingRate(testpmd)).toFixed(1)} Mpps`;
    process.stdout.write(`${what}: ${isAsBefore ? 'as before' : `${is}, before ${was}`}; ${rest}\n`);
  }

  /** Says how it went. Returns the exit code. */
  end(): number {
    process.stdout.write(this.failures === 0 ? 'nothing failed\n' : `${this.failures} failed\n`);
    return this.failures === 0 ? 0 : 1;
  }
}

function start({ engine, words }: Subject, ...more: string[]): ChildProcess {
  return fork(engine, [...words, ...more], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
}

/** Memory of the process alone, which is not DPDK's. */
function privateKib(pid: number): number {
  return Number(/^RssAnon:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

/** Millions of packets a second. */
async function forwardingRate(testpmd: Testpmd): Promise<number> {
  const { txPackets } = await testpmd.forwarding();
  const start = performance.now();
  await delay(RATE_MS);
  const later = await testpmd.forwarding();
  return (later.txPackets - txPackets) / 1000 / (performance.now() - start);
}

async function others({ testpmd, beside }: Subject): Promise<Pick<State, 'heapMb' | 'beside'>> {
  return { heapMb: await testpmd.heapMb(), beside: (await beside?.()) ?? '' };
}
