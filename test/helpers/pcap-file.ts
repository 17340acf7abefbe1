/** Classic pcap files, written and read byte for byte, without libpcap. */
import { readFileSync, writeFileSync } from 'node:fs';

const HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;
const MICRO_MAGIC = 0xa1b2c3d4;
const NANO_MAGIC = 0xa1b23c4d;
const ETHERNET = 1;
/** When the first packet of a written file was seen, seconds. */
const EPOCH = 1_700_000_000;

/** One record. */
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

/** Reads a file of either byte order. @throws Error when it is not one or is torn. */
export function readPcap(path: string): PcapFile {
  const bytes = readFileSync(path);
  const isPcap = (magic: number): boolean => magic === MICRO_MAGIC || magic === NANO_MAGIC;
  const isLittle = bytes.length >= HEADER_BYTES && isPcap(bytes.readUInt32LE(0));
  const word = (at: number): number => (isLittle ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at));
  if (bytes.length < HEADER_BYTES || !isPcap(word(0))) throw new Error(`${path}: not a pcap file`);
  const isNano = word(0) === NANO_MAGIC;
  const packets: PcapPacket[] = [];
  for (let at = HEADER_BYTES; at < bytes.length; ) {
    const data = at + RECORD_HEADER_BYTES;
    const end = data <= bytes.length ? data + word(at + 8) : Number.POSITIVE_INFINITY;
    if (end > bytes.length) throw new Error(`${path}: torn in packet ${packets.length + 1}`);
    const timestampNs = BigInt(word(at)) * 1_000_000_000n + BigInt(word(at + 4)) * (isNano ? 1n : 1000n);
    packets.push({ timestampNs, len: word(at + 12), data: bytes.subarray(data, end) });
    at = end;
  }
  return { precision: isNano ? 'nano' : 'micro', snaplen: word(16), linktype: word(20), packets };
}

/** Writes Ethernet frames, a microsecond apart. */
export function writePcap(path: string, frames: readonly Uint8Array[]): void {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(MICRO_MAGIC, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(262144, 16);
  header.writeUInt32LE(ETHERNET, 20);
  const records = frames.flatMap((frame, index) => {
    const record = Buffer.alloc(RECORD_HEADER_BYTES);
    record.writeUInt32LE(EPOCH + Math.floor(index / 1_000_000), 0);
    record.writeUInt32LE(index % 1_000_000, 4);
    record.writeUInt32LE(frame.length, 8);
    record.writeUInt32LE(frame.length, 12);
    return [record, frame];
  });
  writeFileSync(path, Buffer.concat([header, ...records]));
}
