/** What a trial has on the machine at a moment: a primary at full load, captures from it, other secondaries. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Captured, LiveCapture } from '../capture.js';
import { killBoth } from '../engine.js';
import { lastingLeftovers } from '../leftovers.js';
import { uniqueName } from '../owned.js';
import { answerFailure } from '../primary-answers.js';
import { type Finished, startDpcap } from '../processes.js';
import type { Secondary } from '../secondary.js';
import { continueProcess, isStopped } from '../stopped.js';
import { startTestpmd, type Testpmd } from '../testpmd.js';
import type { Snapshot } from '../testpmd-output.js';
import { attachThird, detachThird, setQueues } from './ports.js';

/** What a trial must never see; it ends with the first. */
export class Harm extends Error {}

/** A capture, or a forwarder. */
export interface Capture {
  running: LiveCapture;
  /** What was typed. */
  words: string;
  /** Its memory is of a fixed size: once it runs, its engine is not inside of EAL, where being killed leaves locks. */
  isSteady: boolean;
  /** Somebody here has killed one of its processes, or let it die at a named point. */
  isKilled: boolean;
}

/** The longest that a dpcap may take to end: its own limit is 30 s. */
const END_MS = 45_000;
/** How long a service manager waits before it starts a service again (systemd's RestartSec). */
const RESTART_MS = 100;
const QUIT_MS = 20_000;
const MOST_QUEUES = 2;

/** Small, so that a capture of the default size has to ask for memory. */
const PRIMARY = { vdevs: ['net_null0', 'net_null1'], memoryMb: 64 };

export class World {
  readonly prefix = uniqueName();
  /** For what captures write. */
  readonly folder: string;
  readonly captures = new Set<Capture>();
  readonly secondaries = new Set<Secondary>();
  /** The port beside net_null0 and net_null1. */
  hasThirdPort = false;
  queues = 1;
  /** Of captures that may still have something in the primary: `dpcap recover` is due. */
  isRecoveryDue = false;
  /** How often the primary refused a port because of a socket that a killed secondary left. */
  refusals = 0;
  #testpmd: Testpmd | undefined;
  #fresh: Snapshot | undefined;

  constructor(folder: string) {
    this.folder = folder;
  }

  get testpmd(): Testpmd {
    if (!this.#testpmd) throw new Error('there is no primary yet');
    return this.#testpmd;
  }

  /** Starts the primary, again with the same prefix, and has it forward at full speed. @throws Harm when it fails */
  async startPrimary(): Promise<void> {
    try {
      this.#testpmd = await startTestpmd({ ...PRIMARY, prefix: this.prefix });
    } catch (error) {
      throw new Harm(`the primary did not start at the first try: ${(error as Error).message}`);
    }
    this.hasThirdPort = false;
    this.queues = 1;
    this.isRecoveryDue = false;
    await this.testpmd.command('start');
    this.#fresh = await this.testpmd.snapshot();
  }

  /** Ends the primary, and starts it again as a service manager would. Other secondaries go first, captures do not. */
  async restartPrimary(how: 'quit' | 'SIGKILL'): Promise<void> {
    for (const secondary of this.secondaries) await this.endSecondary(secondary);
    if (how === 'quit') this.testpmd.process.write('quit\n');
    const late = setTimeout(() => this.testpmd.process.signal('SIGKILL'), QUIT_MS);
    if (how === 'quit') await this.testpmd.exited;
    else await this.testpmd.kill('SIGKILL', { keepFiles: true });
    clearTimeout(late);
    await delay(RESTART_MS);
    await this.startPrimary();
    for (const capture of this.captures) await this.ended(capture);
  }

  async endSecondary(secondary: Secondary): Promise<void> {
    this.secondaries.delete(secondary);
    await secondary.close();
  }

  /** Another secondary is stopped: by DPDK's design the primary's own hot-plug waits 5 s for it. */
  get hasStoppedSecondary(): boolean {
    return [...this.secondaries].some(({ pid }) => isStopped(pid));
  }

  /** Waits for the end of a capture and judges it. @throws Harm when it hangs or crashes by itself */
  async ended(capture: Capture): Promise<Captured> {
    const { running } = capture;
    let isLate = false;
    const late = setTimeout(() => {
      isLate = true;
      killBoth(running.pid);
    }, END_MS);
    const captured = await running.ended(2 * END_MS);
    clearTimeout(late);
    this.captures.delete(capture);
    if (isLate) throw new Harm(`${capture.words}: did not end within ${END_MS} ms\n${captured.messages}`);
    if (/ended unexpectedly/.test(captured.messages) && !capture.isKilled) {
      throw new Harm(`${capture.words}: crashed\n${captured.messages}`);
    }
    if (/dpcap recover/.test(captured.messages)) this.isRecoveryDue = true;
    return captured;
  }

  /** Waits for those that are ending by themselves. */
  async reap(): Promise<void> {
    for (const capture of this.captures) if (!capture.running.process.alive()) await this.ended(capture);
  }

  recover(env: NodeJS.ProcessEnv = {}): Promise<Finished> {
    return runRecovery(this.prefix, env);
  }

  /**
   * Asks the primary, unless it cannot answer by DPDK's design. It may refuse once: EAL's first broadcast after a
   * secondary was killed can fail on the socket that this one left (send_msg in eal_common_proc.c, to 26.07: ENOENT
   * when another message has just removed it).
   * @throws Harm when the primary is dead, locked or slow, or refuses again
   */
  async check(): Promise<void> {
    if (!this.testpmd.alive()) throw new Harm('the primary is dead');
    if (this.hasStoppedSecondary) return;
    let failure = await answerFailure(this.testpmd);
    if (failure?.startsWith('the primary refused') && /No such file/.test(failure)) {
      this.refusals++;
      failure = await answerFailure(this.testpmd);
    }
    if (failure) throw new Harm(failure);
  }

  /** Whether it lives and does not answer. */
  async isLocked(): Promise<boolean> {
    const failure = this.hasStoppedSecondary ? undefined : await answerFailure(this.testpmd);
    return failure?.startsWith('the primary is locked') ?? false;
  }

  /** Ends everything, and looks whether all is as it was. @throws Harm when it is not */
  async finish(): Promise<void> {
    for (const secondary of this.secondaries) await this.endSecondary(secondary);
    for (const capture of this.captures) {
      capture.running.process.signal('SIGINT');
      await this.ended(capture);
    }
    // What may still be enabled on a port or queue that is not there can be cleared when it is back.
    if (!this.hasThirdPort) await attachThird(this);
    if (this.queues < MOST_QUEUES) await setQueues(this, MOST_QUEUES);
    const { code, stdout, stderr } = await this.recover();
    if (code !== 0) throw new Harm(`the last recovery failed: ${stdout}${stderr}`);
    await setQueues(this, 1);
    await detachThird(this);
    await this.check();
    await this.#isAsFresh();
    await this.testpmd.stop();
    const left = await lastingLeftovers();
    if (left.length > 0) throw new Harm(`left behind:\n${left.join('\n')}`);
  }

  async #isAsFresh(): Promise<void> {
    const now = await this.testpmd.snapshot();
    for (const kind of ['memzones', 'rings', 'mempools'] as const) {
      const extra = now[kind].filter((name) => !this.#fresh?.[kind].includes(name));
      const lost = this.#fresh?.[kind].filter((name) => !now[kind].includes(name)) ?? [];
      if (extra.length + lost.length === 0) continue;
      throw new Harm(`the primary's ${kind} are not what they were: more ${extra}; fewer ${lost}`);
    }
  }

  /** After a harm: whatever runs is ended by force. */
  async abandon(): Promise<void> {
    for (const { running } of this.captures) if (running.process.alive()) killBoth(running.pid);
    for (const secondary of this.secondaries) secondary.process.signal('SIGKILL');
    if (!this.#testpmd) return;
    if (this.#testpmd.alive()) continueProcess(this.#testpmd.pid);
    await this.#testpmd.kill();
  }
}

/** Runs `dpcap recover`. @throws Harm when it hangs */
async function runRecovery(prefix: string, env: NodeJS.ProcessEnv): Promise<Finished> {
  const running = startDpcap(['recover', '--file-prefix', prefix], { env });
  let isLate = false;
  const late = setTimeout(() => {
    isLate = true;
    killBoth(running.pid);
  }, END_MS);
  const finished = await running.wait(2 * END_MS);
  clearTimeout(late);
  if (isLate) throw new Harm(`dpcap recover did not end within ${END_MS} ms: ${finished.stdout}${finished.stderr}`);
  return finished;
}
