/**
 * The supervisor's side of the engine: starts it, passes signals on, and when it dies without having cleaned up starts
 * another one that removes what is left in the primary. Never maps DPDK memory itself.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { DpcapError, errorFromRecord } from '../errors.js';
import { entryFile } from '../location.js';
import type { Logger } from '../log.js';
import { runtimeEnvironment } from '../primary/runtime-dir.js';
import type { FromEngine, RecoverReport, RecoverTarget, StopReason, ToEngine } from './messages.js';
import type { EnginePlan } from './plan.js';

/** The engine's entry file; replaced by tests of this file alone. */
const ENGINE = entryFile('engine');

/**
 * V8 places its memory at random addresses, which now and then are the ones where the primary's memory must be mapped:
 * EAL failed to start 16 times in 150 with random seeds, never in 120 with a fixed one. Should a primary's own
 * addresses clash with one seed, the next is tried.
 */
const SEEDS = [1, 2, 3, 4, 5];

/** How long an engine may take over an orderly end before it is taken for hung. */
const STOP_LIMIT_MS = 30_000;

/** A second signal within this time belongs to the first (a terminal's to the whole group, `timeout`'s to child and group). */
const IMPATIENCE_MS = 1000;

type Started = Extract<FromEngine, { type: 'started' }>;
type Stats = Extract<FromEngine, { type: 'stats' }>;
export type Done = Extract<FromEngine, { type: 'done' }>;

/** What happens during a capture, for whoever shows it. */
export interface CaptureEvents {
  started(message: Started): void;
  stats(message: Stats): void;
}

/** Where the engine's descriptor 1 goes. */
export type EngineStdout = 'ignore' | 'inherit' | NodeJS.WritableStream;

/** Node reads the certificates that this variable names whenever it starts: 30 ms, and the engine has no use for them. */
function withoutCertificates({ NODE_EXTRA_CA_CERTS: _, ...env }: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return env;
}

/** A running engine and its conversation. */
class Engine {
  readonly child: ChildProcess;
  readonly #exit: Promise<string>;

  constructor(file: string, seed: number, stdout: EngineStdout, runtimeDir: string, log: Logger) {
    this.child = spawn(process.execPath, [`--random-seed=${seed}`, '--max-old-space-size=128', file], {
      stdio: ['ignore', stdout as 'inherit', 'inherit', 'ipc'],
      serialization: 'advanced',
      env: { ...withoutCertificates(process.env), ...runtimeEnvironment(runtimeDir) },
      // A session of its own: Ctrl-Z must not stop a process that the primary waits for answers from, nor Ctrl-\\ kill it.
      detached: true,
    });
    this.#exit = new Promise((resolve) => {
      this.child.once('error', (error) => resolve(error.message));
      this.child.once('exit', (code, signal) => {
        const end = (): void => resolve(signal ?? `exit code ${code}`);
        // What it sent last may not have been read yet.
        if (this.child.connected) this.child.once('disconnect', end);
        else end();
      });
    });
    log.debug({ pid: this.child.pid, seed }, 'engine started');
  }

  send(message: ToEngine): void {
    if (this.child.connected) this.child.send(message);
  }

  /** Calls `handle` for each message until it returns a result; rejects when the engine ends before. */
  async converse<T>(handle: (message: FromEngine) => T | undefined): Promise<T> {
    const answer = new Promise<T>((resolve) => {
      this.child.on('message', (message: FromEngine) => {
        const result = handle(message);
        if (result !== undefined) resolve(result);
      });
    });
    const died = this.#exit.then((how) => {
      throw new DpcapError('ERR_ENGINE_DIED', `the capture engine ended unexpectedly (${how})`, { subject: how });
    });
    try {
      return await Promise.race([answer, died]);
    } finally {
      died.catch(() => undefined); // once the answer is there, the end of the engine is expected
    }
  }

  /** Resolves when the process is gone. */
  async ended(): Promise<void> {
    await this.#exit;
  }
}

/** A capture as its user sees it. */
export class Supervisor {
  readonly #plan: EnginePlan;
  readonly #log: Logger;
  readonly #events: CaptureEvents;
  readonly #stdout: EngineStdout;
  readonly #file: string;
  #engine: Engine | undefined;
  #stopReason: StopReason | undefined;
  #stoppedAtMs = 0;
  #gaveUp = false;

  /** @param stdout where the engine's descriptor 1 goes, for plans whose output is that descriptor */
  constructor(plan: EnginePlan, stdout: EngineStdout, events: CaptureEvents, log: Logger, file = ENGINE) {
    this.#plan = plan;
    this.#file = file;
    this.#stdout = stdout;
    this.#events = events;
    this.#log = log;
  }

  /** Ends the capture in order. A second signal, a second or more after the first, gives up waiting. */
  stop(reason: StopReason): void {
    if (!this.#stopReason) {
      this.#stopReason = reason;
      this.#stoppedAtMs = Date.now();
      this.#engine?.send({ type: 'stop', reason });
      setTimeout(() => this.giveUp(), STOP_LIMIT_MS).unref();
    } else if (reason === 'signal' && Date.now() - this.#stoppedAtMs >= IMPATIENCE_MS) {
      this.giveUp();
    }
  }

  /** Ends the engine at once; what it has in the primary stays for `dpcap recover`. */
  giveUp(): void {
    this.#gaveUp = true;
    this.#engine?.child.kill('SIGKILL');
  }

  /**
   * Runs the capture to its end.
   * @throws DpcapError ERR_ENGINE_DIED, after what was left in the primary has been cleared
   */
  async run(): Promise<Done> {
    for (const seed of SEEDS) {
      const done = await this.#attempt(seed);
      const mayRetry = done.error?.error === 'ERR_EAL_INIT' && !this.#stopReason && seed !== SEEDS.at(-1);
      if (!mayRetry) return done;
      this.#log.debug({ seed, reason: done.error?.message }, 'attaching failed, trying with other addresses');
    }
    throw new DpcapError('ERR_EAL_INIT', 'cannot join the primary'); // not reached: the last attempt returns
  }

  async #attempt(seed: number): Promise<Done> {
    const engine = new Engine(this.#file, seed, this.#stdout, this.#plan.runtimeDir, this.#log);
    this.#engine = engine;
    try {
      const done = await engine.converse((message) => this.#handle(engine, message));
      await engine.ended();
      return done;
    } catch (error) {
      if (this.#gaveUp) throw this.#gaveUpError();
      throw await this.#clearAfter(error);
    }
  }

  #handle(engine: Engine, message: FromEngine): Done | undefined {
    switch (message.type) {
      case 'ready':
        engine.send({ type: 'capture', plan: this.#plan });
        if (this.#stopReason) engine.send({ type: 'stop', reason: this.#stopReason });
        return undefined;
      case 'started':
        this.#events.started(message);
        return undefined;
      case 'stats':
        this.#events.stats(message);
        return undefined;
      case 'log':
        this.#log.debug({ eal: message.text }, 'EAL');
        return undefined;
      default:
        return message.type === 'done' ? message : undefined;
    }
  }

  #gaveUpError(): DpcapError {
    return new DpcapError('ERR_ENGINE_DIED', 'gave up waiting for the capture to end in order', {
      hint: `clear what it left in the primary with: dpcap recover; ${this.#unfinished()}`,
    });
  }

  /** What became of the output. */
  #unfinished(): string {
    const { output } = this.#plan;
    if (output.kind === 'interface') return `no more packets are sent to ${output.name}`;
    return output.kind === 'tap' ? 'its interface is gone' : 'the unfinished file has the suffix .partial';
  }

  /** The engine died with callbacks of ours in the primary: a new one removes them. Returns the error to report. */
  async #clearAfter(error: unknown): Promise<unknown> {
    try {
      const report = await runRecovery(this.#plan, this.#log, this.#file);
      const doubt = report.inDoubt.length > 0;
      return new DpcapError('ERR_ENGINE_DIED', (error as Error).message, {
        cause: error,
        hint: doubt
          ? 'something of it is left in the primary: run dpcap recover'
          : `what it had in the primary was removed; ${this.#unfinished()}`,
      });
    } catch (failure) {
      this.#log.warn({ err: failure }, 'recovery failed');
      return new DpcapError('ERR_ENGINE_DIED', (error as Error).message, {
        cause: error,
        hint: `what it left in the primary could not be removed: ${(failure as Error).message}`,
      });
    }
  }
}

/**
 * Clears from a primary what dead captures left.
 * @throws DpcapError when the primary cannot be joined
 */
export async function runRecovery(target: RecoverTarget, log: Logger, file = ENGINE): Promise<RecoverReport> {
  const { filePrefix, runtimeDir, primaryPid } = target;
  for (const seed of SEEDS) {
    const engine = new Engine(file, seed, 'ignore', runtimeDir, log);
    const { report, error } = await engine.converse((message) => {
      if (message.type === 'ready') engine.send({ type: 'recover', target: { filePrefix, runtimeDir, primaryPid } });
      return message.type === 'recovered' ? message : undefined;
    });
    await engine.ended();
    if (!error) return report;
    if (error.error !== 'ERR_EAL_INIT' || seed === SEEDS.at(-1)) throw errorFromRecord(error);
  }
  throw new DpcapError('ERR_EAL_INIT', 'cannot join the primary'); // not reached
}
