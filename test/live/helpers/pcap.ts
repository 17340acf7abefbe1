/** Reads captures with the tools that users read them with, and byte for byte. */
import { readFileSync, writeFileSync } from 'node:fs';
import { run } from './processes.js';

const HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;
const MICRO_MAGIC = 0xa1b2c3d4;
const NANO_MAGIC = 0xa1b23c4d;
const ETHERNET = 1;

/** One record of a classic pcap file. */
export interface PcapPacket {
  timestampNs: bigint;
  /** Length on the wire; `data.length` is what was kept of it. */
  len: number;
  data: Buffer;
}

/** A classic pcap file. */
export interface PcapFile {
  precision: 'micro' | 'nano';
  snaplen: number;
  linktype: number;
  packets: PcapPacket[];
}

/** Reads a classic pcap file in this machine's byte order. @throws Error when it is not one or is cut off. */
export function readPcap(path: string): PcapFile {
  const bytes = readFileSync(path);
  const magic = bytes.length >= HEADER_BYTES ? bytes.readUInt32LE(0) : 0;
  if (magic !== MICRO_MAGIC && magic !== NANO_MAGIC) throw new Error(`${path}: not a pcap file`);
  const nsPerFraction = magic === NANO_MAGIC ? 1n : 1000n;
  const packets: PcapPacket[] = [];
  for (let at = HEADER_BYTES; at < bytes.length; ) {
    const data = at + RECORD_HEADER_BYTES;
    const end = data <= bytes.length ? data + bytes.readUInt32LE(at + 8) : Number.POSITIVE_INFINITY;
    if (end > bytes.length) throw new Error(`${path}: cut off in packet ${packets.length + 1}`);
    const seconds = BigInt(bytes.readUInt32LE(at)) * 1_000_000_000n;
    const timestampNs = seconds + BigInt(bytes.readUInt32LE(at + 4)) * nsPerFraction;
    packets.push({ timestampNs, len: bytes.readUInt32LE(at + 12), data: bytes.subarray(data, end) });
    at = end;
  }
  return {
    precision: magic === NANO_MAGIC ? 'nano' : 'micro',
    snaplen: bytes.readUInt32LE(16),
    linktype: bytes.readUInt32LE(20),
    packets,
  };
}

/** Writes Ethernet frames as a classic pcap file, a microsecond apart. */
export function writePcap(path: string, frames: Uint8Array[]): void {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(MICRO_MAGIC, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(262144, 16);
  header.writeUInt32LE(ETHERNET, 20);
  const records = frames.flatMap((frame, index) => {
    const record = Buffer.alloc(RECORD_HEADER_BYTES);
    record.writeUInt32LE(1 + Math.floor(index / 1_000_000), 0);
    record.writeUInt32LE(index % 1_000_000, 4);
    record.writeUInt32LE(frame.length, 8);
    record.writeUInt32LE(frame.length, 12);
    return [record, frame];
  });
  writeFileSync(path, Buffer.concat([header, ...records]));
}

/** One line a packet, as `tcpdump -nn` prints them, without the time of day. */
export function tcpdumpLines(path: string, expression = ''): string[] {
  return nonEmptyLines(run('tcpdump', ['-nn', '-t', '-Z', 'root', '-r', path, ...(expression ? [expression] : [])]));
}

/** Number of packets that `tcpdump` selects from a pcap or pcapng file. */
export function countPackets(path: string, expression = ''): number {
  const text = run('tcpdump', ['--count', '-Z', 'root', '-r', path, ...(expression ? [expression] : [])]);
  const match = text.match(/^(\d+) packets?/m);
  if (!match) throw new Error(`tcpdump --count said: ${text}`);
  return Number(match[1]);
}

/** Fields of each packet as tshark reads them, e.g. `tsharkFields(file, ['frame.len', 'frame.interface_id'])`. */
export function tsharkFields(path: string, fields: string[], displayFilter?: string): string[][] {
  const filter = displayFilter ? ['-Y', displayFilter] : [];
  const text = run('tshark', ['-n', '-r', path, ...filter, '-T', 'fields', ...fields.flatMap((f) => ['-e', f])], {
    timeoutMs: 60_000,
  });
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => line.split('\t'));
}

/** capinfos' machine-readable table: column title to value, e.g. `['Number of packets']` and `['File type']`. */
export function capinfos(path: string): Record<string, string> {
  const [titles = '', values = ''] = run('capinfos', ['-T', '-M', path]).split('\n');
  const cells = values.split('\t');
  return Object.fromEntries(titles.split('\t').map((title, index) => [title, cells[index] ?? '']));
}

function nonEmptyLines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}
