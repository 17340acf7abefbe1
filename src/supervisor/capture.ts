/** Starts one capture in its own engine, with a handle to end it. A reporter shows the capture, and limits end it. */

import type { LanePlan } from '../native/capture-binding.js';
import { BLIND, type StatsMessage } from '../protocol/messages.js';
import type { EnginePlan } from '../protocol/plan.js';
import { sinkOf } from '../sinks/registry.js';
import type { Logger } from '../system/log.js';
import { startTimer } from '../system/long-timer.js';
import type { Inherited } from './engine-process.js';
import { FinishedFiles } from './finished-files.js';
import { unreadableNote } from './readable.js';
import type { FinishFacts, Reporter } from './report/reporter.js';
import { type FinishedNames, finalRecord, type RecordContext, statsRecord, stopwatch } from './report/stats-record.js';
import { type Done, Supervisor } from './supervisor.js';

/** What the plan does not say about a capture. */
export interface ShownCapture {
  /** Name of the output, for people. */
  output: string;
  /** The output, when the plan says that the engine inherits it. */
  inherited?: Inherited;
  /** Called when packets can flow, and the output is open. */
  onStarted?: () => void;
  /** The descriptor of what the plan says is read. */
  input?: number;
  /** See Descriptors.printed. */
  printed?: (line: string) => void;
}

/** A capture that runs, or is about to. */
export interface RunningCapture {
  /**
   * Ends the capture in order. `signal` means that a person wants it to end; a second one, a second or more after the
   * first, gives up waiting.
   */
  stop(reason: 'signal' | 'stopped'): void;
  /** Causes the counters of this moment to be shown. */
  report(): void;
  /** Has what was captured until now sent to the output, where it would wait for more. */
  flush(): void;
  /**
   * How the capture ended. A failure after it had begun is in the result, with the counters.
   * @throws DpcapError when the engine died
   */
  readonly done: Promise<Done>;
}

/** What BLIND means for a capture: nothing is freed that the primary may still touch. */
const STAYS = 'its memory stays in the primary until `dpcap recover` is run where they can be seen (on the host)';

/** Starts the plan in an engine. */
export function startCapture(plan: EnginePlan, options: ShownCapture, reporter: Reporter, log: Logger): RunningCapture {
  if (plan.primaryPid === undefined && !plan.input) log.warn(`${BLIND}: ${STAYS}`);
  const shown = new ShownFigures(plan, reporter);
  const files = plan.rotation && new FinishedFiles(plan.rotation, plan.output, (text) => reporter.notice(text));
  const supervisor = new Supervisor(
    planFor(reporter, plan),
    { output: options.inherited, input: options.input, printed: options.printed },
    {
      started: (message) => {
        const { primaryName: primary, expression, reading, snaplen, durationMs } = plan;
        const rules = plan.portRules?.map((rule, at) => ({ ...rule, port: plan.ports[at] ?? '' }));
        const notes = [plan, ...(rules ?? [])].flatMap((one) => one.notes ?? []);
        shown.begin(message.lanes);
        options.onStarted?.();
        reporter.started({
          ...message,
          primary,
          expression,
          reading,
          notes: [...notes, ...pollNotes(message.pollNs, message.lanes)],
          snaplen,
          rules,
          output: options.output,
          input: plan.input?.name,
        });
        if (durationMs !== undefined) startTimer(() => supervisor.stop('duration'), durationMs).unref();
      },
      notice: (text) => reporter.notice(text),
      stats: ({ stats, asked }) => shown.now(stats, asked),
      file: ({ file }) => {
        shown.file(file.path);
        files?.add(file.path);
      },
    },
    log,
  );
  const run = async (): Promise<Done> => {
    try {
      return await supervisor.run();
    } finally {
      await files?.end();
    }
  };
  const done = run().then((end) => {
    shown.end(end);
    return end;
  });
  return {
    stop: (reason) => supervisor.stop(reason),
    report: () => supervisor.report(),
    flush: () => supervisor.flush(),
    done,
  };
}

const UNGUARDED =
  'no receive calls are captured: only packets that a port misses (imissed, by telemetry) have these probes taken out';

/** What probes cost the application, for its start line. */
export function pollNotes(pollNs: number, lanes: readonly Pick<LanePlan, 'direction'>[]): string[] {
  if (pollNs === 0) return [];
  const cost = (pollNs / 1000).toFixed(1);
  const note = `while dpcap captures, each poll costs the application about ${cost} us more (measured on this machine)`;
  return lanes.some(({ direction }) => direction === 'rx') ? [note] : [note, UNGUARDED];
}

/** The most names of files in a record, of a capture that has many. */
const MOST_NAMES = 10;

/** Turns an engine's counters into what a reporter shows. */
class ShownFigures {
  readonly #reporter: Reporter;
  readonly #unfinished: string[];
  readonly #finished: FinishedNames | undefined;
  #record: RecordContext;
  #now = stopwatch();

  constructor(plan: EnginePlan, reporter: Reporter) {
    this.#reporter = reporter;
    this.#record = {
      filePrefix: plan.filePrefix,
      lanes: [],
      filtering: [plan, ...(plan.portRules ?? [])].some(({ program }) => program !== ''),
      input: plan.input?.name,
    };
    const sink = sinkOf(plan.output);
    this.#unfinished = sink.hasPath ? [sink.nameOf(plan.output)] : [];
    this.#finished = plan.rotation && { count: 0, last: [] };
  }

  /** One of several files has its name. */
  file(path: string): void {
    if (!this.#finished) return;
    this.#finished.count++;
    this.#finished.last.push(path);
    if (this.#finished.last.length > MOST_NAMES) this.#finished.last.shift();
  }

  begin(lanes: RecordContext['lanes']): void {
    this.#record = { ...this.#record, lanes };
    this.#now = stopwatch();
  }

  now(stats: StatsMessage, asked: boolean | undefined): void {
    const figures = statsRecord(this.#record, stats, this.#now(), this.#finished ?? this.#unfinished);
    if (asked) this.#reporter.asked(figures);
    else this.#reporter.progress(figures);
  }

  end(done: Done): void {
    if (!done.stats) return;
    const files = this.#finished ?? (done.file === undefined ? [] : [done.file]);
    const last = finalRecord(this.#record, done.stats, this.#now(), files, done.reason);
    const note = done.file === undefined ? undefined : unreadableNote(done.file);
    this.#reporter.finished(last, { ...finishFacts(done), notes: note === undefined ? [] : [note] });
  }
}

/** The plan, without statistics that nobody would see, so that neither process wakes up for them. */
export function planFor({ wantsProgress }: Pick<Reporter, 'wantsProgress'>, plan: EnginePlan): EnginePlan {
  return wantsProgress ? plan : { ...plan, statsIntervalMs: 0 };
}

/** The facts for the summary. They include what was left behind, unless the error that is shown after it says so. */
export function finishFacts({ reason, leftBehind, error }: Pick<Done, 'reason' | 'leftBehind' | 'error'>): FinishFacts {
  return { reason, leftBehind: error ? [] : leftBehind };
}
