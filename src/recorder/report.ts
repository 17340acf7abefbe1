/** What is said about recorders and what was saved of them. Pure. */
import type { BoxFacts, BoxLane, Saved } from '../native/recorder-binding.js';
import { momentText, spanText } from '../text/moment.js';
import { printable } from '../text/printable.js';
import { roundedSize, sizeText } from '../text/size.js';
import { alignRows } from '../text/table.js';
import type { BadBox, OpenBox } from './find.js';

type Box = Pick<OpenBox, 'path' | 'facts'>;

/** From when on a box has all packets: since it was switched on, or since the last one that was overwritten. */
export function completeFromNs({
  startedNs,
  overwrittenUntilNs,
}: Pick<BoxFacts, 'startedNs' | 'overwrittenUntilNs'>): bigint {
  return overwrittenUntilNs > startedNs ? overwrittenUntilNs : startedNs;
}

/** A table, a box each. */
export function formatBoxes(boxes: readonly Box[], bad: readonly BadBox[], thisBoot: string): string {
  const head = ['PREFIX', 'PID', 'PROGRAM', 'STATE', 'MEMORY', 'PACKETS', 'HOLDS', 'BOX'];
  const rows = boxes.map(({ path, facts }) => [
    facts.filePrefix,
    String(facts.pid),
    facts.program,
    facts.isRecording ? 'recording' : facts.bootId === thisBoot ? 'ended' : 'ended, of another boot',
    roundedSize(facts.bytes),
    String(facts.packets),
    heldText(facts),
    path,
  ]);
  const lost = boxes.flatMap(({ path, facts }) => lostLines(facts.lanes).map((line) => `${path}: ${line}`));
  const faults = bad.map(({ error }) => `not read: ${error.message}`);
  const lines = rows.length === 0 ? ['no recorder is on, and no black box was left'] : alignRows([head, ...rows]);
  return [...lines, ...lost, ...faults].map(printable).join('\n');
}

/** What a recorder has not kept of the packets that came, a line for each cause. */
function lostLines(lanes: readonly Pick<BoxLane, 'full' | 'contended'>[]): string[] {
  const full = sum(lanes, 'full');
  const contended = sum(lanes, 'contended');
  return [
    ...(full > 0n ? [`${full} packets were not recorded: there are more queues than parts of the memory`] : []),
    ...(contended > 0n ? [`${contended} packets were not recorded: another thread was recording on their queue`] : []),
  ];
}

function sum(lanes: readonly Pick<BoxLane, 'full' | 'contended'>[], cause: 'full' | 'contended'): bigint {
  return lanes.reduce((all, lane) => all + lane[cause], 0n);
}

/**
 * What is said of a recorder that has just been switched on, when some of its queues get no memory at all; else undefined.
 * @param lanes queues and directions that packets come from
 */
export function tooManyLanes(lanes: number, facts: Pick<BoxFacts, 'segments' | 'segmentBytes'>): string | undefined {
  const { segments, segmentBytes } = facts;
  if (lanes <= segments) return undefined;
  return (
    `${lanes} queues and directions share ${segments} parts of memory, of which each keeps one: packets of ` +
    `${lanes - segments} are not recorded; give it ${sizeText(lanes * LEAST_PARTS * segmentBytes)} (--memory), or name ports (-i)`
  );
}

/** A queue with one part alone has nothing but the last few packets when that has just begun anew. */
const LEAST_PARTS = 2;

function heldText({ packets, firstNs, lastNs }: BoxFacts): string {
  if (packets === 0n) return 'nothing';
  return `${spanText(lastNs - firstNs)} until ${momentText(lastNs)}`;
}

/** The document of `--json`. */
export function boxesJson(boxes: readonly Box[], bad: readonly BadBox[]): unknown {
  return {
    boxes: boxes.map(({ path, facts }) => ({
      path,
      recording: facts.isRecording,
      file_prefix: facts.filePrefix,
      pid: facts.pid,
      program: facts.program,
      dpdk_version: facts.dpdkVersion,
      boot_id: facts.bootId,
      filter: facts.filter,
      snaplen: facts.snaplen,
      bytes: facts.bytes,
      packets: Number(facts.packets),
      started_ns: String(facts.startedNs),
      first_ns: String(facts.firstNs),
      last_ns: String(facts.lastNs),
      complete_from_ns: String(completeFromNs(facts)),
      lanes: facts.lanes.map(({ device, port, queue, direction, ...counters }) => ({
        ...{ device, port, queue, direction },
        accepted: Number(counters.accepted),
        filtered: Number(counters.filtered),
        ringfull: Number(counters.full),
        contended: Number(counters.contended),
      })),
    })),
    unread: bad.map(({ path, error }) => ({ path, ...error.toJSON() })),
  };
}

/** What was asked for, and what the recorder says of itself. */
export interface Asked {
  /** Time of day in nanoseconds; 0 for all that there is. */
  sinceNs: bigint;
  startedNs: bigint;
  lanes: readonly Pick<BoxLane, 'full' | 'contended'>[];
  /** Whose box it is, where it is another user's than the caller's. */
  otherUid?: number | undefined;
}

/** What a person is told about a file that was saved, a line each: first what is in it, then what is missing. */
export function savedLines(saved: Saved, asked: Asked, output: string): string[] {
  const { packets, firstNs, lastNs } = saved;
  const range =
    packets === 0n ? '' : `, ${spanText(lastNs - firstNs)} from ${momentText(firstNs)} to ${momentText(lastNs)}`;
  const whose = asked.otherUid === undefined ? '' : `, from a black box of user ${asked.otherUid}`;
  return [`saved ${packets} packets${range}${whose}, into ${output}`, ...missingLines(saved, asked)];
}

function missingLines(saved: Saved, { sinceNs, startedNs, lanes }: Asked): string[] {
  const { overwrittenUntilNs, overwritten, cutOff, damaged, packets } = saved;
  const lines = [];
  const lost = lostLines(lanes);
  const all = lost.length === 0 ? 'all packets' : 'all packets that were recorded';
  if (overwrittenUntilNs > sinceNs && overwrittenUntilNs > startedNs) {
    lines.push(
      `${all} from ${momentText(overwrittenUntilNs)} on are there; of older ones some or all were overwritten`,
    );
  } else if (sinceNs > 0n && startedNs > sinceNs) {
    lines.push(`the recorder was switched on only at ${momentText(startedNs)}: it holds less than was asked for`);
  }
  lines.push(...lost.map((line) => `since it was switched on, ${line}`));
  if (packets === 0n) lines.push(emptyReason(sinceNs));
  if (overwritten > 0)
    lines.push(`${overwritten} segments were overwritten while they were read: the oldest packets are missing`);
  if (cutOff > 0) lines.push(`the black box is cut off: ${cutOff} segments of packets are not in the file`);
  if (damaged > 0) lines.push(`${damaged} segments are damaged: what follows the damage in them is left out`);
  return lines;
}

function emptyReason(sinceNs: bigint): string {
  return sinceNs > 0n
    ? `the recorder holds no packet from ${momentText(sinceNs)} on`
    : 'no packet came through its ports, or none that its filter selects: `dpcap recorder status --json` shows the counters';
}
