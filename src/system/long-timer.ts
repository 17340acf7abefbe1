/** A timer for any time. A timer of Node 20 that should wait longer than 2^31 - 1 ms (24.8 days) fires at once. */

const NODE_LONGEST_MS = 2 ** 31 - 1;

export interface LongTimer {
  cancel(): void;
  /** Lets the process end while the timer waits. */
  unref(): this;
}

/** What the timer needs of the system; tests supply their own. */
export interface TimerHost {
  setTimeout(callback: () => void, ms: number): { unref(): unknown };
  clearTimeout(timer: unknown): void;
  /** Milliseconds of a clock that never goes back. */
  now(): number;
}

const NODE: TimerHost = {
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
  now: () => performance.now(),
};

/** Starts a timer that calls back once, after `ms`. */
export function startTimer(callback: () => void, ms: number, host: TimerHost = NODE): LongTimer {
  const end = host.now() + ms;
  let isKeepingAlive = true;
  const wait = (): ReturnType<TimerHost['setTimeout']> => {
    const left = end - host.now();
    const next = left > NODE_LONGEST_MS ? () => (timer = wait()) : callback;
    const started = host.setTimeout(next, Math.max(0, Math.min(left, NODE_LONGEST_MS)));
    if (!isKeepingAlive) started.unref();
    return started;
  };
  let timer = wait();
  return {
    cancel: () => host.clearTimeout(timer),
    unref() {
      isKeepingAlive = false;
      timer.unref();
      return this;
    },
  };
}
