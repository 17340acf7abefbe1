/** One capture from attach to detach, inside the engine. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { LanePlan, NativeStats } from '../binding.js';
import { asDpcapError, DpcapError } from '../errors.js';
import { freeHugePages } from '../primary/huge-pages.js';
import { interfaceFailure } from './interface-output.js';
import type { FromEngine, StatsMessage, StopReason } from './messages.js';
import { native } from './native-error.js';
import { type Output, openOutput } from './output.js';
import { besidePrimary } from './placement.js';
import { type EnginePlan, nativePlan, selectLanes, selectPorts } from './plan.js';
import { Session } from './session.js';

/** How often the primary and the pool are looked at. Limits and the sink are not waited for: the addon calls. */
const LOOK_MS = 1000;
/** Node's timers are of whole milliseconds, and may ring that much too early. */
const TIMER_EARLY_MS = 1;

type Done = Extract<FromEngine, { type: 'done' }>;

/** What a capture needs of its session. */
export type CaptureSession = Pick<Session, keyof Session>;

export class CaptureRun {
  readonly #plan: EnginePlan;
  readonly #send: (message: FromEngine) => void;
  readonly #session: CaptureSession;
  readonly #lookMs: number;
  #stopReason: StopReason | undefined;
  #wake: (() => void) | undefined;
  /** The addon owns the output, and the primary may hold something of ours. */
  #begun = false;
  #flowing = false;
  #lastNombuf = 0n;

  constructor(
    plan: EnginePlan,
    send: (message: FromEngine) => void,
    session: CaptureSession = new Session(plan),
    lookMs = LOOK_MS,
  ) {
    this.#plan = plan;
    this.#send = send;
    this.#session = session;
    this.#lookMs = lookMs;
  }

  /** Asks the capture to end; the first reason counts. */
  stop(reason: StopReason): void {
    this.#stopReason ??= reason;
    this.#wake?.();
  }

  /** Runs to its end, whatever ends it; never rejects. */
  async toEnd(): Promise<Done> {
    let error: DpcapError | undefined;
    let output: Output | undefined;
    try {
      output = await openOutput(this.#plan.output, () => this.#stopReason !== undefined);
      if (output) {
        await this.#start(output);
        error = await this.#watch();
      }
    } catch (thrown) {
      error = asDpcapError(thrown);
      this.#stopReason = 'error';
    }
    return this.#end(output, error);
  }

  async #start(output: Output): Promise<void> {
    const { addon } = this.#session;
    const facts = await this.#session.attach();
    this.#send({ type: 'log', text: facts.log });
    const lanes = selectLanes(this.#plan, facts.ports);
    this.#refuseBusy(lanes, facts.owners);
    const plan = nativePlan(this.#plan, lanes, output.sink, {
      ports: facts.ports,
      version: addon.dpdkVersion,
      placement: besidePrimary(this.#plan.primaryPid, {
        threads: output.sink.kind === 'frames' ? output.sink.queues.length : this.#plan.threads,
      }),
      freeHugePages: freeHugePages(),
    });
    this.#begun = true;
    await native(addon.startCapture(plan, () => this.#wake?.()));
    this.#flowing = true;
    const ports = selectPorts(this.#plan.ports, facts.ports).map(({ id, name }) => ({ id, name }));
    const { mbufs, filteringHere } = this.#stats();
    this.#send({ type: 'started', lanes, ports, mbufs, filteringHere, instructions: plan.program.length / 8 });
  }

  /** Names the holder, which the primary's EEXIST would not. */
  #refuseBusy(lanes: readonly LanePlan[], owners: ReturnType<Session['addon']['facts']>['owners']): void {
    for (const owner of owners) {
      const taken = owner.targets.find(
        (target) =>
          target.live &&
          lanes.some((l) => l.device === target.device && l.queue === target.queue && l.direction === target.direction),
      );
      if (!taken) continue;
      const what = `${taken.device} queue ${taken.queue} ${taken.direction}`;
      const who = owner.running
        ? `dpcap, pid ${owner.pid}: ${owner.purpose}`
        : `a dpcap that was killed, pid ${owner.pid}`;
      throw new DpcapError('ERR_CAPTURE_BUSY', `${what} is already being captured (${who})`, {
        errno: 'EEXIST',
        subject: what,
        hint: owner.running ? 'stop that capture first' : 'clear it with: dpcap recover',
      });
    }
  }

  /** Until something ends the capture. Resolves with the error that did, if one did. */
  async #watch(): Promise<DpcapError | undefined> {
    const intervalMs = this.#plan.statsIntervalMs || Number.POSITIVE_INFINITY;
    let nextReport = performance.now() + intervalMs;
    while (true) {
      const stats = this.#stats(); // before the pause: the addon may have called before anybody waited
      const error = this.#judge(stats);
      if (error || this.#stopReason) return error;
      const now = performance.now();
      if (nextReport - now < TIMER_EARLY_MS) {
        this.#send({ type: 'stats', stats: statsMessage(stats) });
        nextReport = Math.max(nextReport + intervalMs, now); // after a SIGSTOP: none for the time that was missed
      }
      await this.#pause(Math.min(this.#lookMs, nextReport - now));
    }
  }

  /** At most `ms`; less when stop() is called or the addon has something to tell. */
  async #pause(ms: number): Promise<void> {
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    await sleep(ms, undefined, { signal: woken.signal }).catch(() => undefined); // aborted: woken
  }

  #judge(stats: NativeStats): DpcapError | undefined {
    if (!this.#session.isPrimaryAlive()) {
      this.stop('primary gone');
      return new DpcapError('ERR_PRIMARY_GONE', 'the capture ended early: the primary process exited', {
        subject: this.#plan.filePrefix,
        hint: 'what was captured until then is complete',
      });
    }
    if (this.#isPoolUnusable(stats)) {
      return new DpcapError('ERR_MEMPOOL_OPS', 'the primary cannot take mbufs from the capture mempool', {
        subject: this.#plan.filePrefix,
        hint: 'please report this, with the output of dpcap doctor: the numbering of mempool handlers was not recognised',
      });
    }
    if (stats.sinkFailure === 'EPIPE') this.stop('reader closed');
    else if (stats.sinkFailure) return this.#sinkError(stats.sinkFailure);
    if (stats.limitReached) this.stop(this.#plan.packetLimit > 0 ? 'packets' : 'filesize');
    return undefined;
  }

  /** Law 2: a full pool from which every copy fails has a handler that means something else to the primary. */
  #isPoolUnusable(stats: NativeStats): boolean {
    const nombuf = stats.lanes.reduce((total, lane) => total + lane.nombuf, 0n);
    const growing = nombuf > this.#lastNombuf && this.#lastNombuf > 0n;
    this.#lastNombuf = nombuf;
    return growing && stats.mbufsFree === stats.mbufs && stats.lanes.every((lane) => lane.accepted === 0n);
  }

  #sinkError(errno: string): DpcapError {
    this.stop('sink failed');
    const { output } = this.#plan;
    if (output.kind === 'tap' || output.kind === 'interface') return interfaceFailure(output, errno);
    const subject = output.kind === 'file' ? output.path : 'standard output';
    return new DpcapError('ERR_SINK_WRITE', `the capture ended early: cannot write to ${subject}`, {
      errno,
      subject,
      hint: errno === 'ENOSPC' ? 'make room; what was written until then is a valid file' : 'what was written is kept',
    });
  }

  /** Disable, wait for the primary's threads, drain and close the file, free, leave: in this order. */
  async #end(output: Output | undefined, error: DpcapError | undefined): Promise<Done> {
    const done: Done = {
      type: 'done',
      reason: this.#stopReason ?? 'error',
      stats: undefined,
      error: error?.toJSON(),
      leftBehind: [],
      file: undefined,
    };
    try {
      if (this.#begun) await this.#leave(done);
      if (this.#session.isPrimaryAlive()) await this.#session.detach();
      // A file without even a header, on a disk that was full from the start, is not a finished one.
      if (this.#flowing && (done.stats?.fileBytes ?? 0n) > 0n) done.file = output?.publish();
      else output?.remove();
    } catch (thrown) {
      done.error ??= asDpcapError(thrown).toJSON();
    }
    return done;
  }

  async #leave(done: Done): Promise<void> {
    const { addon } = this.#session;
    // Nothing is asked of, and nothing freed or locked in, the memory of a primary that is gone.
    const alive = this.#session.isPrimaryAlive();
    const inDoubt = await native(addon.disableCapture(!alive));
    const quiet = alive && inDoubt.length === 0 && (await this.#session.quiesce());
    const mayFree = quiet && this.#session.isPrimaryAlive();
    await native(addon.finishCapture(mayFree));
    if (alive && !quiet) {
      done.leftBehind = inDoubt.length > 0 ? inDoubt : ['mempool and rings: a thread of the primary does not run'];
      done.error ??= this.#leftBehindError(done.leftBehind).toJSON();
    }
    if (this.#flowing) {
      const stats = this.#stats();
      done.stats = statsMessage(stats);
      if (stats.sinkFailure && stats.sinkFailure !== 'EPIPE')
        done.error ??= this.#sinkError(stats.sinkFailure).toJSON();
    }
  }

  #leftBehindError(left: string[]): DpcapError {
    return new DpcapError(
      'ERR_DISABLE_FAILED',
      `the primary did not confirm the end of the capture: ${left.join(', ')}`,
      {
        subject: this.#plan.filePrefix,
        hint: 'the file is complete; clear the primary later with: dpcap recover',
      },
    );
  }

  #stats(): NativeStats {
    return this.#session.addon.captureStats();
  }
}

function statsMessage(stats: NativeStats): StatsMessage {
  const { lanes, fileBytes, clockSteps, clockSetNs, mbufs, mbufsFree } = stats;
  return { lanes, fileBytes, clockSteps, clockSetNs, mbufs, mbufsFree };
}
