/** Tells when an application can no longer keep up with what it receives while each of its polls is probed. Pure. */
import { DpcapError } from '../errors.js';
import type { LaneStats } from '../native/capture-binding.js';
import type { CaptureEnd } from './capture-end.js';

/** The time that is judged at once, and the calls in it that are enough for a judgement. */
const WINDOW_MS = 1000;
const FEWEST_CALLS = 100n;

type Calls = Pick<LaneStats, 'port' | 'queue' | 'direction' | 'calls' | 'fullCalls'>;

/**
 * A thread that polls is always busy, so its time says nothing. What says that it falls behind is the share of its receive
 * calls that come back full: more was waiting than it took. Send calls tell nothing of the kind, so a capture without
 * receive lanes is never ended.
 */
export class ProbeGuard {
  readonly #budget: number;
  readonly #pid: number | undefined;
  #since: { ms: number; lanes: readonly Calls[] } | undefined;

  /**
   * @param budget the share, percent, that is allowed; 100 allows everything
   * @param pid the application's process
   */
  constructor(budget: number, pid?: number) {
    this.#budget = budget;
    this.#pid = pid;
  }

  /** The end of the capture, when one queue was above the budget for a whole window. */
  look(lanes: readonly Calls[], nowMs: number): CaptureEnd | undefined {
    this.#since ??= { ms: nowMs, lanes };
    const before = this.#since;
    if (nowMs - before.ms < WINDOW_MS) return undefined;
    this.#since = { ms: nowMs, lanes };
    const over = lanes.find((lane, at) => this.#isOver(lane, before.lanes[at]));
    return over && tooBusy(over, this.#budget, this.#pid);
  }

  #isOver({ direction, calls, fullCalls }: Calls, before: Calls | undefined): boolean {
    if (direction !== 'rx' || this.#budget >= 100) return false;
    const made = calls - (before?.calls ?? 0n);
    const full = fullCalls - (before?.fullCalls ?? 0n);
    return made >= FEWEST_CALLS && full * 100n > made * BigInt(this.#budget);
  }
}

function tooBusy({ port, queue }: Calls, budget: number, pid: number | undefined): CaptureEnd {
  const message =
    `the probes were taken out: more than ${budget} % of the receive calls on queue ${queue} of port ${port} came back ` +
    'full, so the application does not keep up with them';
  const hint =
    `take a way that costs less (dpcap agent inject ${pid ?? 'PID'}, then --via agent; or --via pdump), or allow it to fall ` +
    'behind: --probe-budget 100';
  const error = new DpcapError('ERR_PRIMARY_BUSY', message, { subject: String(port), hint });
  return { reason: 'application busy', error };
}
