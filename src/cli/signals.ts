/** Catches the signals that end a process in order. */
import { onEndingSignal } from '../system/signals.js';

export interface CaughtSignals {
  /** Resolves with the first signal. */
  stopped: Promise<void>;
  isStopped(): boolean;
  dispose(): void;
}

/** Until `dispose` is called, signals do not end the process, so that what was changed can be undone first. */
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
