/** Holds a mirror of an application for as long as this process runs: journalled, renewed, and cleared at the end. */
import type { DpcapError } from '../errors.js';
import { startTimer } from '../system/long-timer.js';
import { catchSignals } from '../system/signals.js';
import { durationText } from '../text/duration.js';
import { type ChangeKind, TemporaryChange } from '../watchdog/temporary-change.js';
import { warn } from './warn.js';

/** How long a mirror stays. Milliseconds. */
export interface Stay {
  /** This process holds it, and renews its lease, until it is stopped or the time is over. */
  isHeld: boolean;
  /** Of one that is held; undefined: until this process is stopped. */
  durationMs: number | undefined;
  leaseMs: number;
}

/** The lease of a mirror that is held: so long it stays when the process and its watchdog are killed. */
export const HELD_LEASE_MS = 10_000;

/** A mirror of this process, by what is done with it. */
export interface HeldMirror<Status> {
  stay: Stay;
  /** The kind of change, for whom it is, and the facts to undo it by: the journal has them before the agent. */
  kind: ChangeKind;
  subject: string;
  undo: unknown;
  set(leaseSeconds: number): Status;
  show(status: Status): void;
  /** Renews the lease. Returns what is to be thrown when the mirror has ended by itself. @throws DpcapError */
  renew(leaseSeconds: number): DpcapError | undefined;
  /** Undefined when it was off already. @throws DpcapError */
  clear(): Status | undefined;
  showCleared(last: Status | undefined): void;
}

/** The lease as the agent counts it. */
export function leaseSeconds({ leaseMs }: Stay): number {
  return Math.ceil(leaseMs / 1000);
}

/**
 * Sets a mirror, and clears it when the time is over or somebody stops this process.
 * @throws DpcapError when it is refused, or has ended by itself
 */
export async function holdMirror<Status>(held: HeldMirror<Status>, raw: { json?: boolean }): Promise<void> {
  const change = new TemporaryChange(held.kind);
  const signals = catchSignals();
  try {
    change.begin(held.subject, held.undo);
    held.show(await setOrUndo(held, change));
    if (!raw.json) warn([until(held.stay)]);
    const ended = await untilOver(held, signals.stopped);
    const last = held.clear();
    change.keep();
    if (ended !== undefined) throw ended;
    held.showCleared(last);
  } finally {
    signals.dispose();
  }
}

/** The mirror may have been set all the same when its agent did not answer in time. */
async function setOrUndo<Status>(held: HeldMirror<Status>, change: TemporaryChange): Promise<Status> {
  try {
    return held.set(leaseSeconds(held.stay));
  } catch (error) {
    await change.undo().catch((failure: Error) => warn([`not undone: ${failure.message}; try later: dpcap recover`]));
    throw error;
  }
}

/**
 * Renews the lease until the time is over or somebody stops this process.
 * @returns what to throw when the mirror has ended by itself
 * @throws DpcapError when the application does not answer any more
 */
async function untilOver<Status>(held: HeldMirror<Status>, stopped: Promise<void>): Promise<DpcapError | undefined> {
  const { stay } = held;
  let end = (_ended?: DpcapError): void => undefined;
  let fail = (_error: unknown): void => undefined;
  const over = new Promise<DpcapError | undefined>((resolve, reject) => {
    end = resolve;
    fail = reject;
  });
  const renew = (): void => {
    try {
      const ended = held.renew(leaseSeconds(stay));
      if (ended !== undefined) end(ended);
    } catch (error) {
      fail(error);
    }
  };
  // This keeps the process alive as well, even when only a signal ends it.
  const renewal = setInterval(renew, stay.leaseMs / 4);
  const timer = stay.durationMs === undefined ? undefined : startTimer(() => end(), stay.durationMs);
  void stopped.then(() => end());
  try {
    return await over;
  } finally {
    timer?.cancel();
    clearInterval(renewal);
  }
}

function until({ durationMs }: Stay): string {
  return durationMs === undefined ? 'until Ctrl-C' : `for ${durationText(durationMs)}, or until Ctrl-C`;
}
