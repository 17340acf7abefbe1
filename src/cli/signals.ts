/** Signals that end a process in order. */
import { endingSignals } from '../system/signals.js';

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
  const onSignal = (): void => {
    isStopped = true;
    resolveStopped();
  };
  for (const signal of endingSignals()) process.on(signal, onSignal);
  return {
    stopped,
    isStopped: () => isStopped,
    dispose: () => {
      for (const signal of endingSignals()) process.off(signal, onSignal);
    },
  };
}
