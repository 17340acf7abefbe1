/** A timer for any time: one of Node's 20 that is to wait longer than 2^31 - 1 ms, which is 24.8 days, fires at once. */

const NODE_LONGEST_MS = 2 ** 31 - 1;

export interface LongTimer {
  cancel(): void;
  /** It no longer keeps the process alive. */
  unref(): this;
}

/** What it needs of the world; tests have their own. */
export interface TimerHost {
  setTimeout(callback: () => void, ms: number): { unref(): unknown };
  clearTimeout(timer: unknown): void;
  /** Milliseconds that never go back. */
  now(): number;
}

const NODE: TimerHost = {
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
  now: () => performance.now(),
};

/** Calls back once, after `ms`. */
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
