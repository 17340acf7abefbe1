/** Tells when an application can no longer keep up with what it receives while each of its polls is probed. Pure. */
import { DpcapError } from '../errors.js';
import type { LaneStats } from '../native/capture-binding.js';
import type { Reception } from '../primary/telemetry.js';
import type { CaptureEnd } from './capture-end.js';

/** The time that is judged at once, and the calls in it that are enough for a judgement. */
const WINDOW_MS = 1000;
const FEWEST_CALLS = 100n;

/** So much more of what comes may be missed than was before the probes, percent: others cause that as well. */
const MISSED_PERCENT = 1;

type Calls = Pick<LaneStats, 'port' | 'queue' | 'direction' | 'calls' | 'fullCalls'>;

/** How long one that did not answer is left alone. */
const SILENT_MS = 10_000;

/** A port that tells what it misses: before the probes, and when it was asked last. */
interface Watched {
  before: Reception;
  since: Reception;
  notBeforeMs: number;
  hasTold: boolean;
}

/** Tells what a port has received and missed up to now; undefined when it does not say. */
export type ReceptionOf = (port: number) => Reception | undefined;

/**
 * A thread that polls is always busy, so its time says nothing. What says that it falls behind is the share of its receive
 * calls that come back full: more was waiting than it took; and, where the port tells it, that it misses more of what comes
 * than it did before. Send calls tell nothing of the kind: a capture without receive lanes is ended only
 * for what its ports miss.
 */
export class ProbeGuard {
  readonly #budget: number;
  readonly #pid: number | undefined;
  readonly #receptionOf: ReceptionOf;
  readonly #notice: (text: string) => void;
  readonly #ports = new Map<number, Watched>();
  #since: { ms: number; lanes: readonly Calls[] } | undefined;

  /**
   * @param budget the share, percent, that is allowed; 100 allows everything
   * @param pid the application's process
   * @param notice tells the user something
   */
  constructor(
    budget: number,
    pid?: number,
    receptionOf: ReceptionOf = () => undefined,
    notice: (text: string) => void = () => {},
  ) {
    this.#budget = budget;
    this.#pid = pid;
    this.#receptionOf = receptionOf;
    this.#notice = notice;
  }

  /** Notes what these ports have missed while they had no probes. A probed send call holds up who receives, too. */
  begin(lanes: readonly Pick<Calls, 'port'>[]): void {
    if (this.#budget >= 100) return;
    for (const port of new Set(lanes.map((lane) => lane.port))) {
      const now = this.#receptionOf(port);
      if (now) this.#ports.set(port, { before: now, since: now, notBeforeMs: 0, hasTold: false });
    }
  }

  /** The end of the capture, when one queue was above the budget for a whole window. */
  look(lanes: readonly Calls[], nowMs: number): CaptureEnd | undefined {
    this.#since ??= { ms: nowMs, lanes };
    const before = this.#since;
    if (nowMs - before.ms < WINDOW_MS) return undefined;
    this.#since = { ms: nowMs, lanes };
    const over = lanes.find((lane, at) => this.#isOver(lane, before.lanes[at]));
    return over ? tooBusy(over, this.#budget, this.#pid) : this.#lookAtPorts(nowMs);
  }

  #lookAtPorts(nowMs: number): CaptureEnd | undefined {
    for (const [port, watched] of this.#ports) {
      if (nowMs < watched.notBeforeMs) continue;
      const now = this.#receptionOf(port);
      if (!now) {
        this.#silent(port, watched, nowMs);
        continue;
      }
      const [usual, share] = [missedPercent(watched.before), missedPercent(now, watched.since)];
      watched.since = now;
      if (share > usual + MISSED_PERCENT) return missesMore(port, share, usual, this.#pid);
    }
    return undefined;
  }

  /** Whoever does not answer is waited for each time that it is asked, so it is asked less often. */
  #silent(port: number, watched: Watched, nowMs: number): void {
    watched.notBeforeMs = nowMs + SILENT_MS;
    if (!watched.hasTold)
      this.#notice(
        `the application's telemetry does not answer: whether port ${port} misses more packets than before (imissed) is not known; ` +
          `it is asked again every ${SILENT_MS / 1000} s`,
      );
    watched.hasTold = true;
  }

  #isOver({ direction, calls, fullCalls }: Calls, before: Calls | undefined): boolean {
    if (direction !== 'rx' || this.#budget >= 100) return false;
    const made = calls - (before?.calls ?? 0n);
    const full = fullCalls - (before?.fullCalls ?? 0n);
    return made >= FEWEST_CALLS && full * 100n > made * BigInt(this.#budget);
  }
}

/** Percent of what came in between, or ever; 0 after counters were reset. */
function missedPercent(now: Reception | undefined, since: Reception = { received: 0, missed: 0 }): number {
  const missed = (now?.missed ?? 0) - since.missed;
  const received = (now?.received ?? 0) - since.received;
  return missed > 0 && received >= 0 ? (100 * missed) / (missed + received) : 0;
}

function tooBusy({ port, queue }: Calls, budget: number, pid: number | undefined): CaptureEnd {
  const why = `more than ${budget} % of the receive calls on queue ${queue} of port ${port} came back full`;
  return taken(port, why, pid);
}

function missesMore(port: number, share: number, usual: number, pid: number | undefined): CaptureEnd {
  const percents = `${share.toFixed(1)} % of its packets in a second, ${usual.toFixed(1)} % before`;
  return taken(port, `port ${port} missed ${percents} (imissed)`, pid);
}

function taken(port: number, why: string, pid: number | undefined): CaptureEnd {
  const message = `the probes were taken out: ${why}, so the application does not keep up with them`;
  const hint =
    `take a way that costs less (dpcap agent inject ${pid ?? 'PID'}, then --via agent; or --via pdump), or allow it to fall ` +
    'behind: --probe-budget 100';
  const error = new DpcapError('ERR_PRIMARY_BUSY', message, { subject: String(port), hint });
  return { reason: 'application busy', error };
}
