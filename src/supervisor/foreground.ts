/** A capture in the foreground: runs a plan, shows it, ends it on signals and limits. */

import { BLIND } from '../protocol/messages.js';
import type { EnginePlan } from '../protocol/plan.js';
import type { Logger } from '../system/log.js';
import { startTimer } from '../system/long-timer.js';
import { endingSignals, ignoreEndingSignals } from '../system/signals.js';
import type { Inherited } from './engine-process.js';
import { unreadableNote } from './readable.js';
import { finalRecord, type RecordContext, statsRecord, stopwatch } from './report/stats-record.js';
import type { FinishFacts, Reporter } from './report/text.js';
import { type Done, Supervisor } from './supervisor.js';

/** What the plan does not say. */
export interface ForegroundOptions {
  /** Name of the output, for people. */
  output: string;
  /** The output, when the plan says that the engine inherits it. */
  inherited?: Inherited;
  /** End it after this time of capturing. */
  durationMs?: number | undefined;
}

/** What that means for a capture (Law 1). */
const STAYS = 'its memory stays in the primary until `dpcap recover` is run where they can be seen (on the host)';

/**
 * Runs the plan to its end and shows it. A failure after it had begun is in the result, with the counters.
 * @throws DpcapError when the engine died
 */
export async function runInForeground(
  plan: EnginePlan,
  options: ForegroundOptions,
  reporter: Reporter,
  log: Logger,
): Promise<Done> {
  if (plan.primaryPid === undefined) log.warn(`${BLIND}: ${STAYS}`);
  let record: RecordContext = {
    filePrefix: plan.filePrefix,
    lanes: [],
    filtering: plan.program !== '',
  };
  let now = stopwatch();
  const unfinished = 'path' in plan.output ? [plan.output.path] : [];
  const supervisor = new Supervisor(
    planFor(reporter, plan),
    options.inherited,
    {
      started: (message) => {
        record = { ...record, lanes: message.lanes };
        now = stopwatch();
        const { primaryName: primary, expression, reading, notes, snaplen } = plan;
        reporter.started({ ...message, primary, expression, reading, notes, snaplen, output: options.output });
        if (options.durationMs !== undefined) startTimer(() => supervisor.stop('duration'), options.durationMs).unref();
      },
      notice: (text) => reporter.notice(text),
      stats: ({ stats, asked }) => {
        const figures = statsRecord(record, stats, now(), unfinished);
        if (asked) reporter.asked(figures);
        else reporter.progress(figures);
      },
    },
    log,
  );

  const onSignal = (): void => supervisor.stop('signal');
  const onReport = (): void => supervisor.report();
  for (const signal of endingSignals()) process.on(signal, onSignal);
  process.on('SIGUSR1', onReport);
  try {
    const done = await supervisor.run();
    if (done.stats) {
      const last = finalRecord(record, done.stats, now(), done.file, done.reason);
      const note = done.file === undefined ? undefined : unreadableNote(done.file);
      reporter.finished(last, { ...finishFacts(done), notes: note === undefined ? [] : [note] });
    }
    return done;
  } finally {
    ignoreEndingSignals();
    for (const signal of endingSignals()) process.off(signal, onSignal);
    process.off('SIGUSR1', onReport);
  }
}

/** The plan, without statistics that nobody would see: then neither process wakes up for them. */
export function planFor({ wantsProgress }: Pick<Reporter, 'wantsProgress'>, plan: EnginePlan): EnginePlan {
  return wantsProgress ? plan : { ...plan, statsIntervalMs: 0 };
}

/** For the summary: what was left behind, unless the error that is shown after it says so. */
export function finishFacts({ reason, leftBehind, error }: Pick<Done, 'reason' | 'leftBehind' | 'error'>): FinishFacts {
  return { reason, leftBehind: error ? [] : leftBehind };
}
