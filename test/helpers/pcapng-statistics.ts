/** Reads the interface statistics at the end of a pcapng file of this machine's byte order. */
import { readFileSync } from 'node:fs';

/** Of one interface. */
export interface ClosingStatistics {
  received: number;
  dropped: number;
  delivered: number;
}

const STATISTICS = 5;
const HEAD_BYTES = 20; // block type and length, interface, time

/** The statistics blocks of a file, in order. */
export function closingStatistics(path: string): ClosingStatistics[] {
  const bytes = readFileSync(path);
  const all: ClosingStatistics[] = [];
  for (let at = 0; at < bytes.length; at += bytes.readUInt32LE(at + 4)) {
    if (bytes.readUInt32LE(at) === STATISTICS)
      all.push(statisticsIn(bytes.subarray(at, at + bytes.readUInt32LE(at + 4))));
  }
  return all;
}

function statisticsIn(block: Buffer): ClosingStatistics {
  const counters = new Map<number, number>();
  for (let at = HEAD_BYTES; at < block.length - 4; ) {
    const [code, length] = [block.readUInt16LE(at), block.readUInt16LE(at + 2)];
    if (length === 8) counters.set(code, Number(block.readBigUInt64LE(at + 4)));
    at += 4 + Math.ceil(length / 4) * 4;
  }
  const [received = 0, dropped = 0, delivered = 0] = [4, 5, 8].map((code) => counters.get(code));
  return { received, dropped, delivered };
}
