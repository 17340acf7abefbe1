/** The huge pages of this machine, as the kernel counts them. What cannot be read counts as none. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '../errors.js';

/** Huge pages of one size. */
export interface HugepagePool {
  sizeKb: number;
  total: number;
  free: number;
}

/** Returns one entry for each size. */
export function readHugepages(sysDir = '/sys'): HugepagePool[] {
  const dir = join(sysDir, 'kernel/mm/hugepages');
  const names = orElse([], () => readdirSync(dir));
  return names.flatMap((name) => {
    const sizeKb = Number(/^hugepages-(\d+)kB$/.exec(name)?.[1]);
    if (!Number.isInteger(sizeKb)) return [];
    const read = (file: string): number => orElse(0, () => Number(readFileSync(join(dir, name, file), 'latin1')) || 0);
    return [{ sizeKb, total: read('nr_hugepages'), free: read('free_hugepages') }];
  });
}

/** Bytes of the huge pages that nobody uses. */
export function freeHugePages(sysDir?: string): number {
  return readHugepages(sysDir).reduce((bytes, { sizeKb, free }) => bytes + sizeKb * 1024 * free, 0);
}

function orElse<T>(otherwise: T, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (errnoOf(error)) return otherwise;
    throw error;
  }
}
