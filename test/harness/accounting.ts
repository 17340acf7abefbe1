/** Held in every live test: each packet that was accepted is written or counted by what became of it. */
import { existsSync } from 'node:fs';
import type { Test } from 'tap';
import type { LaneRecord, StatsRecord } from '../../src/supervisor/report/stats-record.js';
import type { Captured } from './capture.js';
import { capinfos } from './pcap.js';

/**
 * What does not add up: `accepted = written + ringfull + sinkdrop + surplus` in each lane, their sum against `packets`,
 * and each finished file against both. Empty when every packet is accounted for.
 */
export function accountingErrors({ final, stderr }: Captured): string[] {
  if (!final) return [`no final statistics record in:\n${stderr}`];
  const errors = final.ports.flatMap(laneErrors);
  const written = final.ports.reduce((sum, lane) => sum + lane.written, 0);
  if (written !== final.packets) errors.push(`lanes have ${written} packets, the record says ${final.packets}`);
  if (final.packets === 0 && !final.why_empty) errors.push('nothing was captured, and no reason is given');
  return [...errors, ...fileErrors(final)];
}

function laneErrors(lane: LaneRecord): string[] {
  const accounted = lane.written + lane.ringfull + lane.sinkdrop + lane.surplus;
  return lane.accepted === accounted ? [] : [`${accounted} of the accepted are accounted for: ${JSON.stringify(lane)}`];
}

/** Of a pcap file, and of each packet in it. */
const [HEADER_BYTES, HEAD_BYTES] = [24, 16];

function fileErrors({ files, file_count, packets, bytes }: StatsRecord): string[] {
  const [file] = files;
  if (file_count !== undefined) return []; // test/live/rotation.ts knows which of them are there
  if (file === undefined || file.startsWith('/dev/')) return [];
  if (!existsSync(file)) return [`${file} does not exist`];
  const facts = capinfos(file);
  const count = Number(facts['Number of packets']);
  if (count !== packets) return [`${file} has ${count} packets, the record says ${packets}`];
  const captured = Number(facts['File size (bytes)']) - HEADER_BYTES - packets * HEAD_BYTES;
  if (facts['File type'] === 'pcapng' || captured === bytes) return [];
  return [`${file} has ${captured} bytes of packets, the record says ${bytes}`];
}

/** Asserts that the capture ended with `code` and that {@link accountingErrors} finds nothing. */
export function balances(t: Test, captured: Captured, code = 0): void {
  t.same(accountingErrors(captured), [], 'every packet is accounted for');
  t.match(captured, { code, signal: null }, `exit code ${code}: ${captured.messages || 'no message'}`);
}

/** Sum of one counter over the lanes of a finished capture. */
export function total(
  { final }: Captured,
  counter: 'accepted' | 'filtered' | 'nombuf' | 'ringfull' | 'written' | 'surplus',
): number {
  return (final?.ports ?? []).reduce((sum, lane) => sum + lane[counter], 0);
}
