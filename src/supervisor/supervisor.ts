/**
 * The supervisor's side of a capture. It starts the engine and passes signals on. When the engine dies without having
 * cleaned up, it starts another one that removes what is left in the primary. It never maps DPDK memory itself.
 */
import { DpcapError } from '../errors.js';
import { FORWARDING_RELEASE } from '../native/releases.js';
import type { FromEngine, StopReason } from '../protocol/messages.js';
import { type EnginePlan, joinsPrimary } from '../protocol/plan.js';
import { sinkOf } from '../sinks/registry.js';
import type { Logger } from '../system/log.js';
import { type Descriptors, ENGINE, EngineProcess } from './engine-process.js';
import { resumeWhenPrimaryGone } from './primary-watch.js';
import { runRecovery } from './recovery-run.js';
import { owedText } from './report/owed.js';
import { lacksLists, SEEDS } from './seeds.js';

/** The number of the one capture that this supervisor has in its engine. */
const CAPTURE = 0;

/** How long an engine may take over an orderly end before it is told to give up. */
const STOP_LIMIT_MS = 60_000;
/** The same where the primary may wait 5 s for another process at the end of each lane (engine/session/pdump-participants.ts). */
const LONG_STOP_LIMIT_MS = 600_000;

/**
 * A second signal within this time belongs to the first: a terminal sends one to the whole group, and `timeout` sends
 * one to the child and one to the group.
 */
const IMPATIENCE_MS = 1000;

type Started = Extract<FromEngine, { type: 'started' }>;
type Stats = Extract<FromEngine, { type: 'stats' }>;
type FileMessage = Extract<FromEngine, { type: 'file' }>;
export type Done = Extract<FromEngine, { type: 'done' }>;

/** The events of a capture, for the code that shows it. */
export interface CaptureEvents {
  started(message: Started): void;
  stats(message: Stats): void;
  /** One of several files is finished. */
  file(message: FileMessage): void;
  /** Something that the user should hear while the capture goes on. */
  notice(text: string): void;
}

/** A capture as its user sees it. */
export class Supervisor {
  #plan: EnginePlan;
  readonly #log: Logger;
  readonly #events: CaptureEvents;
  readonly #descriptors: Descriptors;
  readonly #file: string;
  #engine: EngineProcess | undefined;
  #stopReason: StopReason | undefined;
  /** When the first signal asked for the end of the capture. */
  #signalledAtMs: number | undefined;
  /** How many files that follow one another have their name. */
  #finished = 0;
  /** Packets may have been written. */
  #hasBegun = false;
  /** Packets are copied no more. */
  #isDisabled = false;

  /** @param descriptors the output, for plans that say that the engine inherits it, and what a plan reads */
  constructor(plan: EnginePlan, descriptors: Descriptors, events: CaptureEvents, log: Logger, file = ENGINE) {
    this.#plan = plan;
    this.#file = file;
    this.#descriptors = descriptors;
    this.#events = events;
    this.#log = log;
  }

  /** Ends the capture in order. A second signal, a second or more after the first, gives up waiting. */
  stop(reason: StopReason): void {
    if (!this.#stopReason) {
      this.#stopReason = reason;
      this.#engine?.send({ type: 'stop', capture: CAPTURE, reason });
      const forwards = this.#plan.dpdk.number >= FORWARDING_RELEASE;
      setTimeout(() => this.giveUp(), forwards ? LONG_STOP_LIMIT_MS : STOP_LIMIT_MS).unref();
    }
    if (reason !== 'signal') return;
    const now = performance.now();
    this.#signalledAtMs ??= now;
    if (now - this.#signalledAtMs >= IMPATIENCE_MS) this.giveUp();
  }

  /** Asks for the statistics of this moment. */
  report(): void {
    this.#engine?.send({ type: 'report', capture: CAPTURE });
  }

  /** Has what was captured until now sent to the output. */
  flush(): void {
    this.#engine?.send({ type: 'flush', capture: CAPTURE });
  }

  /**
   * Makes the engine end without clearing up, which is left to `dpcap recover`. The engine is not killed, because it
   * may be inside EAL.
   */
  giveUp(): void {
    if (!this.#engine || this.#engine.isAbandoned) return;
    const { doing } = this.#engine;
    if (doing) this.#events.notice(`giving up; the engine is still ${doing}`);
    this.#engine.abandon();
  }

  /**
   * Runs the capture to its end.
   * @throws DpcapError ERR_ENGINE_DIED, after what was left in the primary has been cleared
   */
  async run(): Promise<Done> {
    for (const seed of SEEDS) {
      let done = await this.#attempt(seed);
      if (done.error && lacksLists(done.error) && !this.#stopReason) {
        // Other addresses cannot help: this is tried once, and has the last word.
        this.#plan = { ...this.#plan, dpdk: { ...this.#plan.dpdk, isLean: true } };
        done = await this.#attempt(seed);
        if (done.error && lacksLists(done.error)) return done;
      }
      const mayRetry = done.error?.error === 'ERR_EAL_INIT' && !this.#stopReason && seed !== SEEDS.at(-1);
      if (!mayRetry) return done;
      this.#log.debug({ seed, reason: done.error?.message }, 'attaching failed, trying with other addresses');
    }
    throw new DpcapError('ERR_EAL_INIT', 'cannot join the primary'); // not reached: the last attempt returns
  }

  async #attempt(seed: number): Promise<Done> {
    const engine = new EngineProcess(this.#file, seed, this.#descriptors, this.#plan.runtimeDir, this.#log);
    this.#engine = engine;
    const watched = { ...this.#plan, enginePid: engine.child.pid };
    const endWatch = joinsPrimary(this.#plan) ? resumeWhenPrimaryGone(watched, this.#log) : () => {};
    try {
      const done = await engine.converse((message) => this.#handle(engine, message));
      await engine.ended();
      return done;
    } catch (error) {
      if (engine.isAbandoned) throw this.#gaveUpError(error as DpcapError, engine);
      throw await this.#clearAfter(error);
    } finally {
      endWatch();
    }
  }

  #handle(engine: EngineProcess, message: FromEngine): Done | undefined {
    switch (message.type) {
      case 'ready':
        engine.send({ type: 'capture', capture: CAPTURE, plan: this.#plan });
        if (this.#stopReason) engine.send({ type: 'stop', capture: CAPTURE, reason: this.#stopReason });
        return undefined;
      case 'started':
        this.#hasBegun = true;
        this.#events.started(message);
        return undefined;
      case 'stats':
        this.#events.stats(message);
        return undefined;
      case 'file':
        this.#finished++;
        this.#events.file(message);
        return undefined;
      case 'notice':
        this.#events.notice(message.text);
        return undefined;
      case 'disabled':
        this.#isDisabled = true;
        return undefined;
      case 'log':
        this.#log.debug({ eal: message.text }, 'EAL');
        return undefined;
      default:
        return message.type === 'done' ? message : undefined;
    }
  }

  /** The error of a capture that was given up. The engine has ended, or goes on by itself; then `error` says so. */
  #gaveUpError(error: DpcapError, engine: EngineProcess): DpcapError {
    const isAlive = engine.child.exitCode === null && engine.child.signalCode === null;
    const hint = owedText(this.#plan, { isAlive, isDisabled: this.#isDisabled, output: this.#unasked() });
    if (isAlive) return new DpcapError(error.code, error.message, { hint });
    return new DpcapError('ERR_ENGINE_DIED', 'gave up waiting for the capture to end in order', { hint });
  }

  /** What became of the output, as a part of a sentence. */
  #unfinished(): string {
    return sinkOf(this.#plan.output).abandoned(this.#plan.output, this.#kept() ?? 0);
  }

  /** The same when a disk may be what is waited for: who has given up waiting must not wait for it here. */
  #unasked(): string {
    const { output } = this.#plan;
    const sink = sinkOf(output);
    if (!sink.unasked) return sink.abandoned(output);
    return this.#hasBegun ? sink.unasked(output, this.#kept()) : 'nothing was written';
  }

  /** How many of the files that follow one another are there under their names; undefined for a single one. */
  #kept(): number | undefined {
    const { rotation } = this.#plan;
    return rotation && Math.min(this.#finished, rotation.ring || Number.POSITIVE_INFINITY);
  }

  /** The engine died with its callbacks in the primary: a new engine removes them. Returns the error to report. */
  async #clearAfter(error: unknown): Promise<unknown> {
    if (this.#plan.input) {
      return new DpcapError('ERR_ENGINE_DIED', (error as Error).message, { cause: error, hint: this.#unfinished() });
    }
    if (!joinsPrimary(this.#plan)) {
      const who = this.#plan.agent
        ? 'the agent has ended the capture by itself'
        : 'the kernel has taken its probes out';
      const hint = `${who}; ${this.#unfinished()}`;
      return new DpcapError('ERR_ENGINE_DIED', (error as Error).message, { cause: error, hint });
    }
    try {
      const report = await runRecovery(this.#plan, this.#log, { file: this.#file });
      const doubt = report.inDoubt.flatMap(({ lanes }) => lanes);
      return new DpcapError('ERR_ENGINE_DIED', (error as Error).message, {
        cause: error,
        hint:
          doubt.length > 0
            ? `something of it is left in the primary (${doubt.join('; ')}): run dpcap recover`
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
