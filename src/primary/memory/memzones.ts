/** Reads a primary's memzones from the file behind its list, without joining and without telemetry. */
import { join } from 'node:path';
import type { MemzoneLayout } from '../../native/host-binding.js';
import { readRegular } from '../../system/safe-file.js';

/** The memzone that rte_pdump_init() reserves: without it an enable request is never answered. */
export const PDUMP_ZONE = 'rte_pdump_stats';

/** Bits in a word of the mask that follows the array: `struct used_mask { unsigned n_masks; uint64_t data[]; }`. */
const WORD_BITS = 64;
/** Bytes of `n_masks`, padded to the alignment of the first word. */
const MASK_HEAD = 8;

/** A piece of shared memory. */
export interface Memzone {
  name: string;
  /** 0 of one that is being made at this moment. */
  bytes: number;
}

/** Those in a runtime directory's `fbarray_memzone`; undefined when it cannot be read. */
export function readMemzones(runtimeDir: string, layout: MemzoneLayout): Memzone[] | undefined {
  try {
    return parseMemzones(readRegular(join(runtimeDir, 'fbarray_memzone')).bytes, layout);
  } catch {
    return undefined;
  }
}

/**
 * Returns those in the bytes of that file: an array of `struct rte_memzone` in which a free entry is zero, then the
 * mask of the used ones. The result is undefined when the bytes do not have this form. Never throws.
 *
 * From DPDK 23.07 on the primary chooses the number of entries (rte_memzone_max_set()), and the constant
 * RTE_MAX_MEMZONE is gone: the place of the mask in the file tells the number.
 */
export function parseMemzones(bytes: Buffer, layout: MemzoneLayout): Memzone[] | undefined {
  const entries = readEntries(bytes, layout);
  for (let length = entries.length; length > 0; length--) {
    const used = usedEntries(bytes, length * layout.entrySize, length);
    if (used === undefined) continue;
    const known = entries.slice(0, length).filter(({ name }) => name !== '');
    // The bit of a zone that is being made at this moment is set before its name is.
    if (Math.abs(known.length - used) <= 1) return known;
  }
  return undefined;
}

/** Each entry that fits into the file, also behind the array; its name is empty where the bytes are no name. */
function readEntries(bytes: Buffer, { entrySize, nameSize, lengthOffset }: MemzoneLayout): Memzone[] {
  return Array.from({ length: Math.floor(bytes.length / entrySize) }, (_, index) => {
    const entry = bytes.subarray(index * entrySize, (index + 1) * entrySize);
    const name = entry.subarray(0, nameSize).toString('latin1').split('\0', 1)[0] ?? '';
    return { name: /^[\x20-\x7e]+$/.test(name) ? name : '', bytes: Number(entry.readBigUInt64LE(lengthOffset)) };
  });
}

/** Number of used entries in the mask at `offset`; undefined when no mask for an array of this length is there. */
function usedEntries(bytes: Buffer, offset: number, length: number): number | undefined {
  const words = Math.ceil(length / WORD_BITS);
  if (offset + MASK_HEAD + words * 8 > bytes.length || bytes.readBigUInt64LE(offset) !== BigInt(words))
    return undefined;
  let used = 0;
  for (let at = offset + MASK_HEAD; at < offset + MASK_HEAD + words * 8; at += 4)
    used += countBits(bytes.readUInt32LE(at));
  return used;
}

function countBits(word: number): number {
  let count = 0;
  for (let rest = word; rest !== 0; rest = (rest & (rest - 1)) >>> 0) count++;
  return count;
}
