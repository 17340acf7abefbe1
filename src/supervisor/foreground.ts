/** Runs captures in the foreground, where signals end them or ask for their counters. */

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
  const capture = startCapture(plan, options, reporter, log);
  return whileSignalsEnd([capture], capture.done);
}

/** Lets signals end these captures until `done` is settled. From then on a signal comes too late. */
export async function whileSignalsEnd<T>(captures: readonly RunningCapture[], done: Promise<T>): Promise<T> {
  const forget = [
    onEndingSignal(() => {
      for (const capture of captures) capture.stop('signal');
    }),
    onSignal('SIGUSR1', () => {
      for (const capture of captures) capture.report();
    }),
  ];
  try {
    return await done;
  } finally {
    ignoreEndingSignals();
    for (const forgetOne of forget) forgetOne();
  }
}
