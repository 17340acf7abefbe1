/** Signals that end a process in order. */
import { onEndingSignal } from '../system/signals.js';

export interface CaughtSignals {
  /** Resolves with the first signal. */
  stopped: Promise<void>;
  isStopped(): boolean;
  dispose(): void;
}

/** While this holds, signals do not end the process: what was changed is undone first. */
export function catchSignals(): CaughtSignals {
  let resolveStopped: () => void = () => undefined;
  let isStopped = false;
  const stopped = new Promise<void>((resolve) => {
    resolveStopped = resolve;
  });
  const dispose = onEndingSignal(() => {
    isStopped = true;
    resolveStopped();
  });
  return { stopped, isStopped: () => isStopped, dispose };
}
