/** Classic pcap files, written and read without libpcap, for tests that compare with `tcpdump -r`. */
import { readFileSync, writeFileSync } from 'node:fs';

const MAGIC_MICRO = 0xa1b2c3d4;
const MAGIC_NANO = 0xa1b23c4d;
const ETHERNET = 1;

/** One record; `time` in seconds and nanoseconds, `len` on the wire. */
export interface PcapRecord {
  seconds: number;
  nanoseconds: number;
  len: number;
  bytes: Uint8Array;
}

/** Writes frames one microsecond apart, from a fixed time on. */
export function writePcap(path: string, frames: readonly Uint8Array[]): void {
  const parts: Buffer[] = [];
  const header = Buffer.alloc(24);
  header.writeUInt32LE(MAGIC_MICRO, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(262144, 16);
  header.writeUInt32LE(ETHERNET, 20);
  parts.push(header);
  frames.forEach((frame, index) => {
    const record = Buffer.alloc(16);
    record.writeUInt32LE(1_700_000_000 + Math.floor(index / 1_000_000), 0);
    record.writeUInt32LE(index % 1_000_000, 4);
    record.writeUInt32LE(frame.length, 8);
    record.writeUInt32LE(frame.length, 12);
    parts.push(record, Buffer.from(frame));
  });
  writeFileSync(path, Buffer.concat(parts));
}

/** Reads a little- or big-endian, micro- or nanosecond file; throws on anything torn. */
export function readPcap(path: string): PcapRecord[] {
  const file = readFileSync(path);
  if (file.length < 24) throw new Error(`${path}: no pcap header`);
  const isLittle = [MAGIC_MICRO, MAGIC_NANO].includes(file.readUInt32LE(0));
  const word = (at: number): number => (isLittle ? file.readUInt32LE(at) : file.readUInt32BE(at));
  const magic = word(0);
  if (magic !== MAGIC_MICRO && magic !== MAGIC_NANO) throw new Error(`${path}: not a pcap file`);
  const records: PcapRecord[] = [];
  for (let at = 24; at < file.length; ) {
    if (at + 16 > file.length) throw new Error(`${path}: torn record header at ${at}`);
    const caplen = word(at + 8);
    const end = at + 16 + caplen;
    if (end > file.length) throw new Error(`${path}: torn record at ${at}`);
    const nanoseconds = word(at + 4) * (magic === MAGIC_NANO ? 1 : 1000);
    records.push({
      seconds: word(at),
      nanoseconds,
      len: word(at + 12),
      bytes: new Uint8Array(file.subarray(at + 16, end)),
    });
    at = end;
  }
  return records;
}
