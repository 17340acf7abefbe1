/** One capture from attach to detach, inside the engine. */
import { setTimeout as sleep } from 'node:timers/promises';
import { asDpcapError, type DpcapError } from '../errors.js';
import type { LanePlan, NativeStats } from '../native/capture-binding.js';
import { native } from '../native/errors.js';
import type { AttachedFacts } from '../native/primary-binding.js';
import { selectLanes, selectPorts } from '../protocol/lanes.js';
import { wishedMbufs } from '../protocol/mempool-size.js';
import type { FromEngine, StopReason } from '../protocol/messages.js';
import type { EnginePlan } from '../protocol/plan.js';
import { sinkOf } from '../sinks/registry.js';
import { becomeUser } from '../system/users/become-user.js';
import { refuseBusy } from './busy-lanes.js';
import { endByStats, leftBehindError, Notices, primaryGone } from './capture-end.js';
import { CaptureOutput } from './capture-output.js';
import { LaneWatch } from './lanes.js';
import { Growth } from './memory/growth.js';
import { usableFor } from './memory/usable-memory.js';
import { startedMessage, statsMessage } from './messages.js';
import { nativePlan } from './native-plan.js';
import { OwnRequests } from './own-requests.js';
import { ProbeGuard, type ReceptionOf } from './probe-guard.js';
import type { CaptureSession } from './session/capture-session.js';
import { Waker } from './waker.js';

/** Time between two looks at the primary, its ports and the pool. The addon calls for limits and a failed sink. */
const LOOK_MS = 500;
/** The same where packets of a port are missed from its restart to the next look. */
const PROBE_LOOK_MS = 100;
/** Node's timers count whole milliseconds, and may fire that much too early. */
const TIMER_EARLY_MS = 1;
// A request for memory that was not answered may still be carried out, and undone, after the primary answers again: for
// as long as the primary waits for the other processes (5 s).
const UNANSWERED_REQUEST_MS = 6000;

type Done = Extract<FromEngine, { type: 'done' }>;

export class CaptureRun {
  readonly #plan: EnginePlan;
  readonly #send: (message: FromEngine) => void;
  readonly #session: CaptureSession;
  readonly #number: number;
  readonly #lookMs: number;
  readonly #notices: Notices;
  readonly #guard: ProbeGuard;
  #stopReason: StopReason | undefined;
  readonly #waker = new Waker();
  /** Whether the addon owns the output, and the primary may hold something of this capture. */
  #begun = false;
  #flowing = false;
  #requestsToEnd = 0;
  #output: CaptureOutput | undefined;
  #growth: Growth | undefined;
  #lanes: LaneWatch | undefined;
  /** Whether a request for memory was not answered. */
  #isInDoubt = false;
  #watching = false;
  readonly #requests: OwnRequests;

  /** @param number the capture's, among those of this engine */
  constructor(
    number: number,
    plan: EnginePlan,
    send: (message: FromEngine) => void,
    session: CaptureSession,
    lookMs = plan.ebpf ? PROBE_LOOK_MS : LOOK_MS,
  ) {
    this.#number = number;
    this.#plan = plan;
    this.#notices = new Notices(plan);
    this.#send = send;
    this.#session = session;
    this.#requests = new OwnRequests(session.sections);
    this.#lookMs = lookMs;
    const { budget = 100, processes } = plan.ebpf ?? {};
    const receptionOf = (port: number): ReturnType<ReceptionOf> => session.receptionOf?.(port);
    this.#guard = new ProbeGuard(budget, processes?.[0]?.pid, receptionOf, (text) => this.#notice(text));
    session.begin();
    void session.primaryGone.then(() => this.#waker.wake());
  }

  /** Asks the capture to end; the first reason counts. */
  stop(reason: StopReason): void {
    this.#stopReason ??= reason;
    this.#session.interrupt?.();
    this.#waker.wake();
  }

  /** Sends the statistics of this moment, unless the end has begun: then the last ones are about to come. */
  report(): void {
    if (this.#watching)
      this.#send({ type: 'stats', capture: this.#number, stats: statsMessage(this.#stats()), asked: true });
  }

  /** Has what was captured until now sent to the output; it is anyway once the end has begun. */
  flush(): void {
    if (this.#watching) this.#session.addon.flushCapture(this.#number);
  }

  /** Carries the capture out to its end, whatever ends it; never rejects. */
  async toEnd(): Promise<Done> {
    let error: DpcapError | undefined;
    try {
      this.#output = await CaptureOutput.open(this.#plan, () => this.#stopReason !== undefined, {
        finished: (file) => this.#send({ type: 'file', capture: this.#number, file }),
        notice: (text) => this.#notice(text),
        ends: () => this.#waker.wake(),
      });
      if (this.#output) {
        await this.#start(this.#output);
        this.#watching = true;
        error = await this.#watch();
      }
    } catch (thrown) {
      error = asDpcapError(thrown);
      this.#isInDoubt = error.code === 'ERR_PRIMARY_TIMEOUT';
      this.#stopReason = 'error';
    }
    this.#watching = false;
    return this.#end(error);
  }

  async #start(output: CaptureOutput): Promise<void> {
    const facts = await this.#session.attach();
    this.#send({ type: 'log', capture: this.#number, text: facts.log });
    const lanes = selectLanes(this.#plan, facts.ports);
    refuseBusy(lanes, facts.owners);
    const plan = this.#nativePlan(output, facts, lanes);
    await this.#session.answered();
    this.#requestsToEnd = lanes.length;
    const patienceMs = await this.#session.participants(lanes.length, (text) => this.#notice(text));
    this.#guard.begin(lanes);
    await output.empty();
    this.#begun = true;
    const { addon, way } = this.#session;
    const told = (): void => {
      output.turn();
      this.#waker.wake();
    };
    const start = (): Promise<void> => addon.startCapture(this.#number, plan, told);
    await this.#requests.inside('allocate', () => native(start(), way), patienceMs);
    this.#flowing = true;
    if (this.#plan.becomes) becomeUser(this.#plan.becomes);
    output.begin(addon, this.#number);
    this.#lanes = new LaneWatch(lanes);
    this.#growth = this.#growTo(plan);
    const ports = selectPorts(this.#plan.ports, facts.ports).map(({ id, name }) => ({ id, name }));
    this.#send(startedMessage(this.#number, { lanes, ports, plan, stats: this.#stats() }));
  }

  #nativePlan({ sink }: CaptureOutput, facts: AttachedFacts, lanes: LanePlan[]): ReturnType<typeof nativePlan> {
    const usable = usableFor(this.#plan, facts);
    const plan = nativePlan(this.#plan, lanes, sink, { ...facts, usableBytes: usable.bytes });
    const wished = wishedMbufs({ ...this.#plan.mempool, lanes: lanes.length });
    if (plan.mbufs < wished) {
      const megabytes = Math.floor(usable.bytes / 1e6);
      this.#notice(
        `room for ${plan.mbufs} copies instead of ${wished}: the primary can use ${megabytes} MB more (${usable.limit})`,
      );
    }
    return plan;
  }

  #growTo({ mbufs, mostMbufs }: { mbufs: number; mostMbufs: number }): Growth {
    return new Growth(
      { planned: mbufs, most: mostMbufs },
      {
        grow: (pieces, upTo) => this.#session.addon.growCapture(this.#number, pieces, upTo),
        obstacle: () => this.#session.obstacle(),
        inside: (work) => this.#requests.inside('allocate', () => native(work(), this.#session.way)),
        notice: (text) => this.#notice(text),
        unanswered: () => {
          this.#isInDoubt = true;
        },
      },
    );
  }

  #notice(text: string): void {
    this.#send({ type: 'notice', capture: this.#number, text });
  }

  /** Watches until something ends the capture. Resolves with the error that ended it, if one did. */
  async #watch(): Promise<DpcapError | undefined> {
    const intervalMs = this.#plan.statsIntervalMs || Number.POSITIVE_INFINITY;
    let nextReport = performance.now() + intervalMs;
    while (true) {
      const stats = this.#stats(); // before the pause: the addon may have called before anybody waited
      const error = await this.#look(stats);
      if (error || this.#stopReason) return error;
      const now = performance.now();
      if (nextReport - now < TIMER_EARLY_MS) {
        this.#send({ type: 'stats', capture: this.#number, stats: statsMessage(stats) });
        nextReport = Math.max(nextReport + intervalMs, now); // after a SIGSTOP: no reports for the missed time
      }
      await this.#waker.pause(Math.min(this.#lookMs, nextReport - now));
    }
  }

  /** Looks after everything that changes during a capture. Resolves with the error that ends it, if one does. */
  async #look(stats: NativeStats): Promise<DpcapError | undefined> {
    for (const text of this.#lanes?.notices(stats) ?? []) this.#notice(text);
    this.#tell(stats);
    const end = this.#session.isPrimaryAlive()
      ? (this.#output?.look() ?? endByStats(this.#plan, stats) ?? this.#guard.look(stats.lanes, performance.now()))
      : primaryGone(this.#plan);
    if (end) {
      if (end.notice !== undefined) this.#notice(end.notice);
      this.stop(end.reason);
      return end.error;
    }
    const nothingLeft = this.#lanes?.end(stats);
    if (nothingLeft) this.stop('ports gone');
    else this.#growth?.tick(stats);
    if (stats.canSettle)
      for (const text of await native(this.#session.addon.settleLanes(this.#number))) this.#notice(text);
    return nothingLeft;
  }

  /** Ends in this order: disable, wait for the primary's threads, drain and close the file, free, leave. */
  async #end(error: DpcapError | undefined): Promise<Done> {
    const done: Done = {
      type: 'done',
      capture: this.#number,
      reason: this.#stopReason ?? 'error',
      stats: undefined,
      error: error?.toJSON(),
      leftBehind: [],
      file: undefined,
    };
    try {
      if (this.#begun && !this.#isStuck()) await this.#leave(done);
      await this.#output?.end(done, this.#flowing && (done.stats?.fileBytes ?? 0n) > 0n);
      if (this.#session.isPrimaryAlive()) await this.#session.detach();
    } catch (thrown) {
      done.error ??= asDpcapError(thrown).toJSON();
    }
    return done;
  }

  /** Whether the primary ended during the set-up: the addon is still at work there, and may be for ever. */
  #isStuck(): boolean {
    return this.#requests.areUnderWay && !this.#session.isPrimaryAlive() && !this.#flowing;
  }

  async #leave(done: Done): Promise<void> {
    const { addon, way } = this.#session;
    // Nothing is asked of a primary that is gone, and nothing is freed or locked in its memory.
    const alive = this.#session.isPrimaryAlive();
    const grown = this.#growth?.end();
    if (alive) await grown;
    const disabled = native(addon.disableCapture(this.#number, alive ? 'alive' : 'gone'), way);
    const told = alive && this.#session.tellDelays(this.#requestsToEnd, (text) => this.#notice(text));
    const [inDoubt] = await Promise.all([disabled, told]);
    if (inDoubt.length === 0) this.#send({ type: 'disabled', capture: this.#number });
    const reason = alive ? ((inDoubt.length > 0 ? inDoubt : undefined) ?? (await this.#notToFree())) : undefined;
    const mayFree = reason === undefined && this.#session.isPrimaryAlive();
    await native(addon.finishCapture(this.#number, mayFree ? 'outside' : 'unknown'), way);
    const free = (): Promise<boolean> => native(addon.freeCapture(this.#number), way);
    const isFreed = mayFree && (await this.#requests.inside('free', free));
    if (alive && !isFreed && this.#session.isPrimaryAlive()) {
      done.leftBehind = reason ?? ['memory: the primary takes too long to take it back'];
      done.error = leftBehindError(this.#plan, done.leftBehind, done.error);
    }
    if (this.#flowing) {
      const stats = this.#stats();
      this.#tell(stats);
      done.stats = statsMessage(stats);
      if (stats.sinkFailure && stats.sinkFailure !== 'EPIPE')
        done.error ??= sinkOf(this.#plan.output).failed(this.#plan.output, stats.sinkFailure).toJSON();
    }
  }

  /** Why the memory must stay although every callback is off; undefined when it may be freed. */
  async #notToFree(): Promise<string[] | undefined> {
    if (this.#requests.areUnderWay) return ['memory: a request for it has not ended'];
    const obstacle = (await this.#session.quiesce()) ?? (await this.#session.obstacle())?.message;
    if (obstacle) return [`mempool and rings: ${obstacle}`];
    if (!this.#isInDoubt) return undefined;
    const silence = await this.#session.answered().then(() => undefined, asDpcapError);
    if (silence) return [`mempool and rings: ${silence.message}`];
    await sleep(UNANSWERED_REQUEST_MS);
    return undefined;
  }

  #tell(stats: NativeStats): void {
    for (const text of this.#notices.of(stats)) this.#notice(text);
  }

  #stats(): NativeStats {
    return this.#session.addon.captureStats(this.#number);
  }
}
