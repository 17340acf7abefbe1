/** Reads packets from a pcap stream as its pieces come. The stream is our own engine's, in this machine's byte order. */

const HEADER_BYTES = 24;
const RECORD_BYTES = 16;
const NANO_MAGIC = 0xa1b23c4d;
const MICRO_MAGIC = 0xa1b2c3d4;
/** More than any packet: what says so is no pcap. */
const MOST_BYTES = 1 << 20;

export interface Packet {
  /** Nanoseconds since 1970. */
  ns: bigint;
  /** Bytes of the packet as it was. */
  length: number;
  /** What was captured of it; valid until the next piece is read. */
  bytes: Buffer;
}

export class PcapStream {
  #rest: Buffer = Buffer.alloc(0);
  #unit: bigint | undefined;

  /** The packets that are complete with this piece. @throws Error when the stream is no pcap */
  *packets(piece: Buffer): Generator<Packet> {
    const bytes = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    let at = this.#begin(bytes);
    while (this.#unit !== undefined && bytes.length - at >= RECORD_BYTES) {
      const size = bytes.readUInt32LE(at + 8);
      if (size > MOST_BYTES) throw new Error(`a packet of ${size} bytes: this is no pcap stream`);
      const end = at + RECORD_BYTES + size;
      if (end > bytes.length) break;
      const ns = BigInt(bytes.readUInt32LE(at)) * 1_000_000_000n + BigInt(bytes.readUInt32LE(at + 4)) * this.#unit;
      yield { ns, length: bytes.readUInt32LE(at + 12), bytes: bytes.subarray(at + RECORD_BYTES, end) };
      at = end;
    }
    this.#rest = bytes.subarray(at);
  }

  /** Where records begin in `bytes`. */
  #begin(bytes: Buffer): number {
    if (this.#unit !== undefined || bytes.length < HEADER_BYTES) return 0;
    const magic = bytes.readUInt32LE(0);
    if (magic !== NANO_MAGIC && magic !== MICRO_MAGIC) throw new Error('this is no pcap stream');
    this.#unit = magic === NANO_MAGIC ? 1n : 1000n;
    return HEADER_BYTES;
  }
}
