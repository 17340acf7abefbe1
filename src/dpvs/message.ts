/** Headers of DPVS's control socket, the same in every release: 24 bytes of request, 88 bytes of reply. */

/** (1 << 16) + (0 << 8) + 0; DPVS closes the connection when it gets another version. */
const VERSION = 0x00010000;
const REQUEST_HEADER = 24;
export const REPLY_HEADER = 88;
const ERRSTR = { offset: 16, size: 64 };
/** No expected reply comes near it; a length from a foreign program must not decide how much memory is used. */
const MAX_BODY = 256 * 1024;

export const GET = 0;
export const SET = 1;

/** One request. */
export interface Request {
  type: typeof GET | typeof SET;
  id: number;
  body: Uint8Array;
}

/** A well-formed reply; `errcode` 0 is success. */
export interface Reply {
  errcode: number;
  /** DPVS's own words for the error. */
  errstr: string;
  body: Buffer;
}

/** The whole request, to be sent with one write. */
export function encodeRequest({ type, id, body }: Request): Buffer {
  const bytes = Buffer.alloc(REQUEST_HEADER + body.length);
  bytes.writeUInt32LE(VERSION, 0);
  bytes.writeUInt32LE(id, 4);
  bytes.writeUInt32LE(type, 8);
  bytes.writeBigUInt64LE(BigInt(body.length), 16);
  bytes.set(body, REQUEST_HEADER);
  return bytes;
}

/** The meaning of the bytes received so far: a reply, the beginning of one, or not an answer of DPVS to `request`. */
export type Decoded = { kind: 'reply'; reply: Reply } | { kind: 'partial' } | { kind: 'foreign'; why: string };

/** Reads a reply from what has arrived. */
export function decodeReply(bytes: Buffer, request: Request): Decoded {
  if (bytes.length < REPLY_HEADER) return { kind: 'partial' };
  const why = headerFault(bytes, request);
  if (why) return { kind: 'foreign', why };
  const length = Number(bytes.readBigUInt64LE(80));
  const errcode = bytes.readInt32LE(12);
  if (length > MAX_BODY) return foreign(`announces ${length} bytes`);
  if (length > 0 && errcode !== 0) return foreign(`carries ${length} bytes beside error ${errcode}`);
  if (bytes.length > REPLY_HEADER + length) return foreign(`is longer than the ${length} bytes it announces`);
  if (bytes.length < REPLY_HEADER + length) return { kind: 'partial' };
  const errstr = readText(bytes.subarray(ERRSTR.offset, ERRSTR.offset + ERRSTR.size)) ?? '';
  return { kind: 'reply', reply: { errcode, errstr, body: Buffer.from(bytes.subarray(REPLY_HEADER)) } };
}

function headerFault(bytes: Buffer, request: Request): string | undefined {
  if (bytes.readUInt32LE(0) !== VERSION) return 'has another version';
  if (bytes.readUInt32LE(4) !== request.id) return `is to request ${bytes.readUInt32LE(4)} instead of ${request.id}`;
  if (bytes.readUInt32LE(8) !== request.type) return 'is of another type than the request';
  return undefined;
}

function foreign(why: string): Decoded {
  return { kind: 'foreign', why };
}

/** Reads a NUL-terminated text of printable ASCII, behind which NULs or leftovers fill the field; else undefined. */
export function readText(field: Buffer): string | undefined {
  const end = field.indexOf(0);
  const text = field.subarray(0, end).toString('latin1');
  return end >= 0 && /^[\x20-\x7e]*$/.test(text) ? text : undefined;
}
