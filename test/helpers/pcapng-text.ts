/** A pcapng stream by the letter of draft-ietf-opsawg-pcapng, byte for byte. */

export interface Sent {
  interface?: number;
  ns?: bigint;
  flags?: number;
  queue?: number;
  length?: number;
  bytes?: string;
}

function word(value: number): Buffer {
  const four = Buffer.alloc(4);
  four.writeUInt32LE(value);
  return four;
}

function option(code: number, value: Buffer): Buffer {
  const padding = Buffer.alloc((4 - (value.length % 4)) % 4);
  return Buffer.concat([word(code | (value.length << 16)), value, padding]);
}

function block(type: number, body: Buffer): Buffer {
  const size = word(body.length + 12);
  return Buffer.concat([word(type), size, body, size]);
}

/** A section with these interfaces. */
export function head(names: readonly string[]): Buffer {
  const section = block(0x0a0d0d0a, Buffer.concat([word(0x1a2b3c4d), word(1), Buffer.alloc(8, 0xff), word(0)]));
  const interfaces = names.map((name) =>
    block(1, Buffer.concat([word(1), word(65535), option(2, Buffer.from(name)), option(9, Buffer.of(9)), word(0)])),
  );
  return Buffer.concat([section, ...interfaces]);
}

/** An enhanced packet block. */
export function packet(sent: Sent): Buffer {
  const { interface: number = 0, ns = 0n, flags = 1, queue = 0, bytes = 'abcdef' } = sent;
  const data = Buffer.from(bytes);
  const { length = data.length } = sent;
  const words = [number, Number(ns >> 32n), Number(ns & 0xffffffffn), data.length, length].map(word);
  const padding = Buffer.alloc((4 - (data.length % 4)) % 4);
  return block(6, Buffer.concat([...words, data, padding, option(2, word(flags)), option(6, word(queue)), word(0)]));
}

/** Interface statistics. */
export function statistics(): Buffer {
  return block(5, Buffer.alloc(12));
}
