/** Runs captures in the foreground, where signals end them, ask for their counters, or flush their output. */

import type { EnginePlan } from '../protocol/plan.js';
import type { Logger } from '../system/log.js';
import { ignoreEndingSignals, onEndingSignal, onSignal } from '../system/signals.js';
import { type RunningCapture, type ShownCapture, startCapture } from './capture.js';
import type { Reporter } from './report/reporter.js';
import type { Done } from './supervisor.js';

/**
 * Runs the plan to its end and shows the capture. A failure after it had begun is in the result, with the counters.
 * @throws DpcapError when the engine died
 */
export function runInForeground(
  plan: EnginePlan,
  options: ShownCapture,
  reporter: Reporter,
  log: Logger,
): Promise<Done> {
  return whileSignalsEnd((running) => {
    const capture = startCapture(plan, options, reporter, log);
    running.push(capture);
    return capture.done;
  });
}

/**
 * Lets signals end the captures that `start` adds to the list, until the promise that it returns is settled. Signals are
 * taken before it is called, so that none ends this process while an engine runs; afterwards a signal comes too late.
 */
export async function whileSignalsEnd<T>(start: (running: RunningCapture[]) => Promise<T>): Promise<T> {
  const running: RunningCapture[] = [];
  const forget = [
    onEndingSignal(() => {
      for (const capture of running) capture.stop('signal');
    }),
    onSignal('SIGUSR1', () => {
      for (const capture of running) capture.report();
    }),
    onSignal('SIGUSR2', () => {
      for (const capture of running) capture.flush();
    }),
  ];
  try {
    return await start(running);
  } finally {
    ignoreEndingSignals();
    for (const forgetOne of forget) forgetOne();
  }
}
