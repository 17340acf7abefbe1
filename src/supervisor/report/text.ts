/** What a person sees of a capture on standard error: start line, status line, closing summary. */
import { describePort } from '../../protocol/lanes.js';
import type { FinishFacts, Reporter, ReportStream, StartFacts } from './reporter.js';
import { type LaneRecord, type StatsRecord, sum } from './stats-record.js';

export class TextReporter implements Reporter {
  readonly wantsProgress: boolean;
  readonly #stream: ReportStream;
  #last: { packets: number; bytes: number; elapsed: number } = { packets: 0, bytes: 0, elapsed: 0 };
  #shown = 0;
  #clockSteps = 0;

  /** @param live whether to show a status line that is overwritten */
  constructor(stream: ReportStream, live: boolean) {
    this.#stream = stream;
    this.wantsProgress = live;
  }

  started(facts: StartFacts): void {
    this.#stream.write(`${startLine(facts)}\n`);
    for (const note of facts.notes ?? []) this.#stream.write(`dpcap: note: ${note}\n`);
    if (facts.filteringHere) this.#stream.write(`${FILTERING_HERE}\n`);
  }

  progress(record: StatsRecord): void {
    if (!this.wantsProgress) return;
    this.#tellClock(record);
    const line = statusLine(record, this.#last).slice(0, (this.#stream.columns ?? 120) - 1);
    this.#stream.write(`\r${line.padEnd(this.#shown)}`);
    this.#shown = line.length;
    this.#last = { packets: record.packets, bytes: record.bytes, elapsed: record.elapsed_s };
  }

  notice(text: string): void {
    if (this.#shown > 0) this.#stream.write('\n');
    this.#shown = 0;
    this.#stream.write(`dpcap: ${text}\n`);
  }

  asked(record: StatsRecord): void {
    const { packets, bytes: size, elapsed_s, ports } = record;
    const line = `dpcap: ${packets} packets captured in ${elapsed_s.toFixed(1)} s, ${bytes(size)}; ${lossLine(ports)}`;
    this.#stream.write(`${this.#shown > 0 ? '\r' : ''}${line.padEnd(this.#shown)}\n`);
    this.#shown = 0;
  }

  finished(record: StatsRecord, facts: FinishFacts): void {
    this.#tellClock(record);
    this.#clearLine();
    this.#stream.write(`${summary(record, facts).join('\n')}\n`);
  }

  /** Tells the user once of each time that the clock was set. */
  #tellClock({ clock_steps = 0, clock_set_s = 0 }: StatsRecord): void {
    if (clock_steps === this.#clockSteps) return;
    this.#clockSteps = clock_steps;
    this.#clearLine();
    this.#stream.write(`${clockLine(clock_steps, clock_set_s)}\n`);
  }

  #clearLine(): void {
    if (this.#shown > 0) this.#stream.write(`\r${' '.repeat(this.#shown)}\r`);
    this.#shown = 0;
  }
}

/** "dpcap: the system clock was set back by 3600.000 s ..." */
export function clockLine(steps: number, seconds: number): string {
  const what = `${seconds < 0 ? 'back' : 'forward'} by ${Math.abs(seconds).toFixed(3)} s`;
  const times = steps === 1 ? `was set ${what}` : `was set ${steps} times since the capture began, ${what} in all`;
  return `dpcap: the system clock ${times}; timestamps follow it`;
}

const FILTERING_HERE =
  'dpcap: the primary cannot run the filter, so it copies every packet and dpcap filters the copies (counted as filtered)';

/** "dpcap: capturing on 0 (net_null0), rx and tx, of dpdk-testpmd ..." */
export function startLine(facts: StartFacts): string {
  const ports = facts.ports.map(describePort).join(', ');
  const directions = [...new Set(facts.lanes.map((lane) => lane.direction))].join(' and ');
  const reading = facts.reading ? `; ${facts.reading}` : '';
  const program = `(${facts.instructions} instructions${reading})`;
  const filter = facts.expression ? `filter "${facts.expression}" ${program}` : 'no filter';
  if (facts.input !== undefined)
    return `dpcap: reading ${facts.input}; ${filter}, snaplen ${facts.snaplen}, to ${facts.output}`;
  const what = facts.rules?.map(ruleText).join('; ') ?? `${filter}, snaplen ${facts.snaplen}`;
  return `dpcap: capturing on ${ports}, ${directions}, of ${facts.primary}; ${what}, to ${facts.output}`;
}

/** "port 1: filter "tcp", snaplen 96" */
function ruleText({ port, expression, snaplen }: NonNullable<StartFacts['rules']>[number]): string {
  return `port ${port}: ${expression === '' ? 'no filter' : `filter "${expression}"`}, snaplen ${snaplen}`;
}

/** One line that is overwritten: totals, rate since the last one, losses by cause. */
export function statusLine(record: StatsRecord, last: { packets: number; bytes: number; elapsed: number }): string {
  const seconds = Math.max(0.001, record.elapsed_s - last.elapsed);
  const rate = `${count((record.packets - last.packets) / seconds)}p/s, ${bytes((record.bytes - last.bytes) / seconds)}/s`;
  return `${record.packets} packets, ${bytes(record.bytes)}; ${rate}; lost: ${losses(record.ports)}`;
}

/** tcpdump's closing lines, then each lane's accounting. */
export function summary(record: StatsRecord, facts: FinishFacts): string[] {
  const { ports } = record;
  const where = record.files.length > 0 ? ` to ${filesText(record)}` : '';
  const lines = [
    `${record.packets} packets ${record.input === undefined ? 'captured' : `of ${record.input}`}${where} in ${record.elapsed_s.toFixed(1)} s, ${bytes(record.bytes)} (ended: ${facts.reason})`,
    `${sum(ports, 'accepted') + sum(ports, 'nombuf')} packets matched, ${sum(ports, 'filtered')} filtered out`,
    lossLine(ports),
    ...ports.map((lane) => accounting(lane, record.input !== undefined)),
  ];
  if (record.why_empty)
    lines.push(`${record.input === undefined ? 'nothing was captured' : 'no packets'}: ${record.why_empty}`);
  if (facts.leftBehind.length > 0) {
    lines.push(`left in the primary, because it may still be in use: ${facts.leftBehind.join(', ')}`);
    lines.push('  clear it later with: dpcap recover');
  }
  lines.push(...(facts.notes ?? []).map((note) => `note: ${note}`));
  return lines;
}

/** "200 files, the last x_00200_20261129040932.pcap", or the names. */
function filesText({ files, file_count = 1 }: StatsRecord): string {
  return file_count > 1 ? `${file_count} files, the last ${files.at(-1)}` : files.join(', ');
}

/** Packets that matched and did not reach the output. */
export function lostPackets(ports: readonly LaneRecord[]): number {
  const causes = ['nombuf', 'ringfull', 'sinkdrop', ...RARE] as const;
  return causes.reduce((lost, cause) => lost + sum(ports, cause), 0);
}

/** "3 packets lost (nombuf 1, ringfull 0, sinkdrop 2)" */
export function lossLine(ports: readonly LaneRecord[]): string {
  return `${lostPackets(ports)} packets lost (${losses(ports)})`;
}

/** Losses of one backend each, which are shown when there are any. */
const RARE = ['contended', 'unread'] as const;

function ifAny(cause: string, lost: number): string {
  return lost > 0 ? `, ${cause} ${lost}` : '';
}

function losses(ports: readonly LaneRecord[]): string {
  const rare = RARE.map((cause) => ifAny(cause, sum(ports, cause)));
  return `nombuf ${sum(ports, 'nombuf')}, ringfull ${sum(ports, 'ringfull')}, sinkdrop ${sum(ports, 'sinkdrop')}${rare.join('')}`;
}

/** accepted = written + ringfull + sinkdrop + surplus; the other counters stand beside it. */
function accounting(lane: LaneRecord, isOfFile: boolean): string {
  const name = isOfFile ? lane.name : `${lane.name} queue ${lane.queue} ${lane.direction}`;
  return (
    `  ${name}: accepted ${lane.accepted} = written ${lane.written}` +
    ` + ringfull ${lane.ringfull} + sinkdrop ${lane.sinkdrop} + surplus ${lane.surplus};` +
    ` nombuf ${lane.nombuf}, filtered ${lane.filtered}${RARE.map((cause) => ifAny(cause, lane[cause])).join('')}`
  );
}

/** 1234567 bytes as "1.2 MB": decimal, as disks and capinfos count. */
export function bytes(value: number): string {
  return `${count(value)}B`;
}

function count(value: number): string {
  for (const [unit, name] of [
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ] as const) {
    if (value >= unit) return `${(value / unit).toFixed(1)} ${name}`;
  }
  return `${Math.round(value)} `;
}
