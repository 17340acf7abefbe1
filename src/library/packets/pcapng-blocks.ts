/**
 * Takes the pcapng stream of our own engine apart, as its pieces come. The engine writes in this machine's byte order, times
 * in nanoseconds, and each packet with its flags and its queue (native/record/pcap_format.h).
 */

/** A packet as the program gets it. */
export interface Packet {
  /** Nanoseconds since 1970. */
  time: bigint;
  /** The device that it was captured on. */
  interface: string;
  direction: 'rx' | 'tx';
  queue: number;
  /** Bytes of the packet as it was. */
  length: number;
  /** What was captured of it. */
  bytes: Uint8Array;
}

/** Whose packet it is, and how much of it was captured. */
export interface PacketHead {
  /** Number of the interface, from 0, in the order of the stream. */
  interface: number;
  queue: number;
  direction: 'rx' | 'tx';
  bytes: number;
}

const INTERFACE = 1;
const PACKET = 6;
const BLOCK_HEAD = 8;
const LEAST_BLOCK = 12;
/** More than any block of ours: what says so is no pcapng. */
const MOST_BLOCK = 1 << 20;

/** Fields of a packet block. */
const [AT_INTERFACE, AT_TIME_HIGH, AT_TIME_LOW, AT_CAPTURED, AT_LENGTH, AT_BYTES] = [8, 12, 16, 20, 24, 28] as const;
const OPTION_HEAD = 4;
const [OPTION_FLAGS, OPTION_QUEUE] = [2, 6];
const DIRECTION_MASK = 3;
const OUTBOUND = 2;

/** Joins pieces of the stream into whole blocks. */
export class BlockJoiner {
  #rest: Buffer = Buffer.alloc(0);

  /** The blocks that are whole with this piece, one behind the other. @throws Error when the stream is no pcapng */
  join(piece: Buffer): Buffer {
    const bytes = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    let end = 0;
    for (const { at, size } of blocksIn(bytes)) end = at + size;
    this.#rest = bytes.subarray(end);
    return bytes.subarray(0, end);
  }
}

/** The names of the interfaces that these blocks tell of, in their order. */
export function interfacesIn(blocks: Buffer): string[] {
  return [...blocksIn(blocks)]
    .filter(({ type }) => type === INTERFACE)
    .map(({ at, size }) => {
      const name = optionIn(blocks, at + 16, at + size - 4, OPTION_FLAGS); // if_name has the same number
      return name === undefined ? '' : name.toString('utf8');
    });
}

/** Whose the packets in these blocks are, without a look at their bytes. */
export function* headsIn(blocks: Buffer): Generator<PacketHead> {
  for (const { type, at, size } of blocksIn(blocks)) if (type === PACKET) yield headOf(blocks, at, size);
}

/** The packets in these blocks, whose bytes stay in the buffer. */
export function packetsIn(blocks: Buffer, interfaces: readonly string[]): Packet[] {
  const packets: Packet[] = [];
  for (const { type, at, size } of blocksIn(blocks)) {
    if (type !== PACKET) continue;
    const { interface: number, queue, direction, bytes } = headOf(blocks, at, size);
    packets.push({
      time: (BigInt(blocks.readUInt32LE(at + AT_TIME_HIGH)) << 32n) | BigInt(blocks.readUInt32LE(at + AT_TIME_LOW)),
      interface: interfaces[number] ?? String(number),
      direction,
      queue,
      length: blocks.readUInt32LE(at + AT_LENGTH),
      bytes: blocks.subarray(at + AT_BYTES, at + AT_BYTES + bytes),
    });
  }
  return packets;
}

function headOf(blocks: Buffer, at: number, size: number): PacketHead {
  const bytes = blocks.readUInt32LE(at + AT_CAPTURED);
  const [from, end] = [at + AT_BYTES + padded(bytes), at + size - 4];
  const flags = optionIn(blocks, from, end, OPTION_FLAGS)?.readUInt32LE() ?? 0;
  return {
    interface: blocks.readUInt32LE(at + AT_INTERFACE),
    queue: optionIn(blocks, from, end, OPTION_QUEUE)?.readUInt32LE() ?? 0,
    direction: (flags & DIRECTION_MASK) === OUTBOUND ? 'tx' : 'rx',
    bytes,
  };
}

/** The value of an option between `at` and `end`. */
function optionIn(blocks: Buffer, at: number, end: number, wanted: number): Buffer | undefined {
  for (let next = at; next + OPTION_HEAD <= end; ) {
    const code = blocks.readUInt16LE(next);
    const size = blocks.readUInt16LE(next + 2);
    if (code === wanted) return blocks.subarray(next + OPTION_HEAD, next + OPTION_HEAD + size);
    next += OPTION_HEAD + padded(size);
  }
  return undefined;
}

/** The whole blocks at the beginning of `bytes`. */
function* blocksIn(bytes: Buffer): Generator<{ type: number; at: number; size: number }> {
  for (let at = 0; at + BLOCK_HEAD <= bytes.length; ) {
    const type = bytes.readUInt32LE(at);
    const size = bytes.readUInt32LE(at + 4);
    if (size < LEAST_BLOCK || size > MOST_BLOCK || (size & 3) !== 0) {
      throw new Error(`a block of ${size} bytes: this is no stream of ours`);
    }
    if (at + size > bytes.length) return;
    yield { type, at, size };
    at += size;
  }
}

function padded(size: number): number {
  return (size + 3) & ~3;
}
