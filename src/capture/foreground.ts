/** A capture in the foreground: runs a plan, shows it, ends it on signals and limits. */
import type { Logger } from '../log.js';
import type { EnginePlan } from './plan.js';
import type { FinishFacts, Reporter } from './report.js';
import { finalRecord, type RecordContext, statsRecord, stopwatch } from './stats-record.js';
import { type Done, type EngineStdout, Supervisor } from './supervisor.js';

/** What the plan does not say. */
export interface ForegroundOptions {
  /** Name of the output, for people. */
  output: string;
  /** Where the engine's descriptor 1 goes. */
  stdout: EngineStdout;
  /** End it after this time of capturing. */
  durationMs?: number | undefined;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

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
  let record: RecordContext = {
    filePrefix: plan.filePrefix,
    lanes: [],
    filtering: plan.program !== '',
  };
  let now = stopwatch();
  const unfinished = plan.output.kind === 'file' ? [plan.output.path] : [];
  const supervisor = new Supervisor(
    planFor(reporter, plan),
    options.stdout,
    {
      started: (message) => {
        record = { ...record, lanes: message.lanes };
        now = stopwatch();
        const { primaryName: primary, expression, snaplen } = plan;
        reporter.started({ ...message, primary, expression, snaplen, output: options.output });
        if (options.durationMs !== undefined) setTimeout(() => supervisor.stop('duration'), options.durationMs).unref();
      },
      stats: ({ stats }) => reporter.progress(statsRecord(record, stats, now(), unfinished)),
    },
    log,
  );

  const onSignal = (): void => supervisor.stop('signal');
  for (const signal of SIGNALS) process.on(signal, onSignal);
  try {
    const done = await supervisor.run();
    if (done.stats) {
      const last = finalRecord(record, done.stats, now(), done.file, done.reason);
      reporter.finished(last, finishFacts(done));
    }
    return done;
  } finally {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  }
}

/** The plan, without statistics that nobody would see: then neither process wakes up for them. */
export function planFor({ wantsProgress }: Pick<Reporter, 'wantsProgress'>, plan: EnginePlan): EnginePlan {
  return wantsProgress ? plan : { ...plan, statsIntervalMs: 0 };
}

/** For the summary: what was left behind, unless the error that is shown after it says so. */
export function finishFacts({ reason, leftBehind, error }: Pick<Done, 'reason' | 'leftBehind' | 'error'>): FinishFacts {
  return { reason, leftBehind: error?.error === 'ERR_DISABLE_FAILED' ? [] : leftBehind };
}
