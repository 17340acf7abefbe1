/** The statistics record: one NDJSON object a line, and the source of every figure that is shown. Pure. */
import type { LanePlan, LaneStats } from '../../native/capture-binding.js';
import type { StatsMessage, StopReason } from '../../protocol/messages.js';

/** Counters of one lane. `accepted = written + ringfull + sinkdrop + surplus` once the capture has ended. */
export interface LaneRecord {
  port: number;
  name: string;
  queue: number;
  direction: 'rx' | 'tx';
  /** Packets that matched the filter and were copied. */
  accepted: number;
  /** Packets that did not match. */
  filtered: number;
  /** Packets that matched but were not copied: no mbuf was free, or they have no bytes or no room for a timestamp. */
  nombuf: number;
  /** Packets that were copied, but the ring was full. */
  ringfull: number;
  /** Packets that passed, unseen, while another thread was in the agent's callback of the same queue. */
  contended: number;
  /** Packets that passed, but the program in the kernel could not copy them. */
  unread: number;
  written: number;
  /** Packets that were copied, but the output had failed, or an interface did not take them. */
  sinkdrop: number;
  /** Packets that were copied after a limit was reached. */
  surplus: number;
}

/** One record of `--stats ndjson`; docs/statistics.md lists the fields for readers. */
export interface StatsRecord {
  /** ISO 8601. */
  time: string;
  elapsed_s: number;
  /** Empty where a file is read. */
  file_prefix: string;
  /** The file that is read; absent for an application. */
  input?: string;
  /** One for each lane: the name is older than the word. */
  ports: LaneRecord[];
  packets: number;
  /** Bytes of captured packets. */
  bytes: number;
  /** Where they are; of files that follow one another, the last that are finished. */
  files: string[];
  /** How many files that follow one another are finished; absent when there is one. */
  file_count?: number;
  /** Room for copies in the primary's memory at this moment; it grows under load. */
  mbufs: number;
  /** How often the system clock was set during the capture, and by how much in all; absent when it was not. */
  clock_steps?: number;
  clock_set_s?: number;
  /** What probes cost a thread of the application at each poll, ns; absent without probes. */
  poll_ns?: number;
  final?: true;
  stop_reason?: StopReason;
  why_empty?: string;
}

/** Facts that stay the same during a capture. */
export interface RecordContext {
  filePrefix: string;
  lanes: readonly LanePlan[];
  filtering: boolean;
  input?: string | undefined;
}

/** A moment: the time of day, and the time since the start by a clock that is never set. */
export interface Moment {
  time: Date;
  elapsedMs: number;
}

/** Starts a stopwatch. Returns a function that tells the present moment. */
export function stopwatch(): () => Moment {
  const startedAt = performance.now();
  return () => ({ time: new Date(), elapsedMs: performance.now() - startedAt });
}

/** The files that are finished, when several follow one another, and the last names. */
export interface FinishedNames {
  count: number;
  last: string[];
}

export function statsRecord(
  context: RecordContext,
  stats: StatsMessage,
  at: Moment,
  files: string[] | FinishedNames,
): StatsRecord {
  const ports = stats.lanes.map((lane) => laneRecord(context, lane));
  return {
    time: at.time.toISOString(),
    elapsed_s: Math.round(at.elapsedMs) / 1000,
    file_prefix: context.filePrefix,
    ...(context.input === undefined ? {} : { input: context.input }),
    ports,
    packets: sum(ports, 'written'),
    bytes: stats.lanes.reduce((total, lane) => total + Number(lane.bytes), 0),
    ...('count' in files ? { files: [...files.last], file_count: files.count } : { files }),
    mbufs: stats.mbufs,
    ...(stats.clockSteps > 0 ? { clock_steps: stats.clockSteps, clock_set_s: Number(stats.clockSetNs) / 1e9 } : {}),
    ...(stats.pollNs > 0 ? { poll_ns: stats.pollNs } : {}),
  };
}

/** The last record of a capture. */
export function finalRecord(
  context: RecordContext,
  stats: StatsMessage,
  at: Moment,
  files: string[] | FinishedNames,
  reason: StopReason,
): StatsRecord {
  const record = statsRecord(context, stats, at, files);
  const empty = record.packets === 0 ? { why_empty: whyEmpty(record.ports, context) } : {};
  return { ...record, final: true, stop_reason: reason, ...empty };
}

function laneRecord(context: RecordContext, lane: LaneStats): LaneRecord {
  const plan = context.lanes.find((one) => one.port === lane.port);
  return {
    port: lane.port,
    name: plan?.device ?? String(lane.port),
    queue: lane.queue,
    direction: lane.direction,
    accepted: Number(lane.accepted),
    filtered: Number(lane.filtered),
    nombuf: Number(lane.nombuf),
    ringfull: Number(lane.ringfull),
    contended: Number(lane.contended),
    unread: Number(lane.unread),
    written: Number(lane.written),
    sinkdrop: Number(lane.sinkdrop),
    surplus: Number(lane.surplus),
  };
}

/** Sum of one counter over all lanes. */
export function sum(
  lanes: readonly LaneRecord[],
  counter: keyof Omit<LaneRecord, 'port' | 'name' | 'queue' | 'direction'>,
): number {
  return lanes.reduce((total, lane) => total + lane[counter], 0);
}

/** Why nothing was captured, from the counters. */
export function whyEmpty(
  lanes: readonly LaneRecord[],
  { filtering, input }: Pick<RecordContext, 'filtering' | 'input'>,
): string {
  const filtered = sum(lanes, 'filtered');
  const nombuf = sum(lanes, 'nombuf');
  const refused = sum(lanes, 'sinkdrop');
  if (refused > 0) return `the output took none of the ${refused} packets that it was given`;
  if (nombuf > 0) {
    return `${nombuf} packets matched, but no mbuf was free for their copies, or they have no bytes or no room for a timestamp`;
  }
  if (input !== undefined && filtered > 0) return `none of the ${filtered} packets of ${input} were wanted`;
  if (input !== undefined) return `${input} has no packets`;
  if (filtering && filtered > 0) return `the filter matched none of the ${filtered} packets that passed`;
  const queues = lanes.map((lane) => `${lane.name} queue ${lane.queue} ${lane.direction}`);
  return (
    `no packet passed ${queues.join(', ')}: either there was no traffic, or the application does not poll ` +
    'these queues itself (rte_eth_rx_burst and rte_eth_tx_burst of the primary are what can be seen)'
  );
}
