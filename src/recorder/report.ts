/** What is said about recorders and what was saved of them. Pure. */
import type { BoxFacts, Saved } from '../native/recorder-binding.js';
import { momentText, spanText } from '../text/moment.js';
import { printable } from '../text/printable.js';
import { roundedSize } from '../text/size.js';
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
  const faults = bad.map(({ error }) => `not read: ${error.message}`);
  const lines = rows.length === 0 ? ['no recorder is on, and no black box was left'] : alignRows([head, ...rows]);
  return [...lines, ...faults].map(printable).join('\n');
}

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

/** What was asked for, and when the recorder began. */
export interface Asked {
  /** Time of day in nanoseconds; 0 for all that there is. */
  sinceNs: bigint;
  startedNs: bigint;
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

function missingLines(saved: Saved, { sinceNs, startedNs }: Asked): string[] {
  const { overwrittenUntilNs, overwritten, cutOff, damaged, packets } = saved;
  const lines = [];
  if (overwrittenUntilNs > sinceNs && overwrittenUntilNs > startedNs) {
    lines.push(
      `all packets from ${momentText(overwrittenUntilNs)} on are there; of older ones some or all were overwritten`,
    );
  } else if (sinceNs > 0n && startedNs > sinceNs) {
    lines.push(`the recorder was switched on only at ${momentText(startedNs)}: it holds less than was asked for`);
  }
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
