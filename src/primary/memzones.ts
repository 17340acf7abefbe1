/** The names of a primary's memzones, read from the file behind its list: no joining, no telemetry needed. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MemzoneLayout } from '../binding.js';

/** Reserved by rte_pdump_init(): without it an enable request is never answered. */
export const PDUMP_ZONE = 'rte_pdump_stats';

/** The names in a runtime directory's `fbarray_memzone`; undefined when it cannot be read. */
export function memzoneNames(runtimeDir: string, layout: MemzoneLayout): string[] | undefined {
  try {
    return parseMemzones(readFileSync(join(runtimeDir, 'fbarray_memzone')), layout);
  } catch {
    return undefined;
  }
}

/** The names in the bytes of that file: an array of `struct rte_memzone`; a free entry is zero. Never throws. */
export function parseMemzones(bytes: Buffer, layout: MemzoneLayout): string[] {
  const count = Math.min(layout.maxZones, Math.floor(bytes.length / layout.entrySize));
  return Array.from({ length: count }, (_, index) => {
    const field = bytes
      .subarray(index * layout.entrySize, index * layout.entrySize + layout.nameSize)
      .toString('latin1');
    return field.split('\0', 1)[0] ?? '';
  }).filter((name) => /^[\x20-\x7e]+$/.test(name));
}
