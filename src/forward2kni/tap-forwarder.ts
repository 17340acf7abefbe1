/** Sets up a capture with a TAP interface as its sink, shows it, keeps its state file up to date, and takes it down. */

import { errorFromRecord, errorText } from '../errors.js';
import type { FilterProgram } from '../filter/compile.js';
import type { PickedPrimary } from '../primary/pick.js';
import type { CaptureRequest } from '../protocol/request.js';
import { commandLine, createPlan } from '../supervisor/create-plan.js';
import { runInForeground } from '../supervisor/foreground.js';
import { createReporter } from '../supervisor/report/create-reporter.js';
import type { Reporter } from '../supervisor/report/reporter.js';
import { type StatsRecord, sum } from '../supervisor/report/stats-record.js';
import { diagnostics } from '../system/diagnostics.js';
import type { Logger } from '../system/log.js';
import type { InterfaceNames } from './interface-name.js';
import type { ForwarderStates } from './state.js';

/** Enough for jumbo frames of every NIC; a larger frame size of the primary's ports is used instead. */
const MTU = 9216;

/** All decisions about one forwarder. */
export interface TapForward {
  picked: PickedPrimary;
  port: { id: number; name: string };
  names: InterfaceNames;
  /** Network namespace of the interface. Empty: the one in which dpcap runs. */
  netns: string;
  /** Packets a second; 0: no limit. */
  maxRate: number;
  /** Number of threads that write to the interface, each to a queue of its own. */
  threads: number;
  options: CaptureRequest;
  filter: FilterProgram | undefined;
}

/**
 * Forwards until a signal, a limit or an error ends it.
 * @param run replaced only by tests of this file
 * @returns the exit code
 * @throws DpcapError when it could not begin
 */
export async function forward(
  request: TapForward,
  log: Logger,
  states: ForwarderStates,
  run: typeof runInForeground = runInForeground,
): Promise<number> {
  const { picked, names, netns, maxRate, threads, options, filter } = request;
  const mtu = Math.max(MTU, picked.maxFrame ?? 0);
  const output = { kind: 'tap' as const, rxName: names.rx, txName: names.tx, netns, mtu, maxRate, queues: threads };
  const plan = createPlan(options, filter, picked, output, commandLine());
  const shown = await createReporter(options.stats, options.quiet, diagnostics);
  const reporter = recording(request, shown, states);
  try {
    const done = await run(plan, { output: describeInterfaces(names, netns) }, reporter, log);
    if (!done.error) return 0;
    const error = errorFromRecord(done.error);
    if (done.stats === undefined) throw error;
    diagnostics.write(errorText(error, options.stats === 'ndjson'));
    return error.exitCode;
  } finally {
    states.remove();
  }
}

/** Such as "interface net_null0.kni", with its namespace. */
export function describeInterfaces(names: InterfaceNames, netns: string): string {
  const interfaces = names.rx === names.tx ? `interface ${names.rx}` : `interfaces ${names.rx} and ${names.tx}`;
  return netns ? `${interfaces} in namespace ${netns}` : interfaces;
}

/** Passes everything on to `inner`, and keeps the state file up to date. */
function recording({ picked, port, names, netns }: TapForward, inner: Reporter, states: ForwarderStates): Reporter {
  const startedAt = new Date().toISOString();
  const save = (record?: StatsRecord): void =>
    states.save({
      filePrefix: picked.primary.filePrefix,
      port,
      interfaces: [...new Set([names.rx, names.tx])],
      netns,
      startedAt,
      packets: record?.packets ?? 0,
      bytes: record?.bytes ?? 0,
      nombuf: record ? sum(record.ports, 'nombuf') : 0,
      ringfull: record ? sum(record.ports, 'ringfull') : 0,
      sinkdrop: record ? sum(record.ports, 'sinkdrop') : 0,
      filtered: record ? sum(record.ports, 'filtered') : 0,
    });
  return {
    wantsProgress: true,
    started: (facts) => {
      save();
      inner.started(facts);
    },
    progress: (record) => {
      try {
        save(record);
      } catch {
        // With a full state directory, `status` shows old counters; that is no reason to stop forwarding.
      }
      inner.progress(record);
    },
    notice: (text) => inner.notice(text),
    asked: (record) => inner.asked(record),
    finished: (record, facts) => inner.finished(record, facts),
  };
}
