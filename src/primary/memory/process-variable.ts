/** Finds a variable in the memory of a process by its symbol, in whichever of its files has the live copy of it. */
import { readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { errnoOf } from '../../errors.js';
import { findSymbol, readSegments, type Segment } from '../../system/elf.js';
import { type MappedFile, mappedFiles, parseMaps } from '../../system/maps.js';
import { openMapped } from '../../system/process-memory.js';

/** One place where a variable may be. */
export interface VariableAt {
  address: bigint;
  /** Bytes. */
  size: bigint;
  /** The file that defines it. */
  source: string;
}

/**
 * The files that may define a variable of `library` (the beginning of a file name, such as "librte_mempool.so"), the
 * likeliest first. The executable comes before the library: an executable that is not position independent in its data
 * accesses holds the only live copy (a COPY relocation), as Debian's testpmd does.
 * @param dir the process's /proc directory
 */
export function definingFiles(dir: string, library: string): MappedFile[] {
  const files = mappedFiles(parseMaps(readFileSync(join(dir, 'maps'), 'latin1')));
  const executable = statSync(join(dir, 'exe'), { throwIfNoEntry: false })?.ino;
  const rank = (file: MappedFile): number => {
    if (file.inode === executable) return 0;
    return basename(file.path).startsWith(library) ? 1 : 2;
  };
  return files
    .filter((file) => file.mappings.some((mapping) => mapping.permissions.includes('x')))
    .sort((a, b) => rank(a) - rank(b));
}

/** The places of a variable that a file defines: none where it does not. */
export function variablesIn(file: MappedFile, dir: string, symbol: string): VariableAt[] {
  const source = openMapped(file, dir);
  try {
    const symbols = findSymbol(source, symbol);
    const segment = readSegments(source)?.[0];
    if (symbols.length === 0 || !segment) return [];
    return symbols.flatMap(({ address, size }) =>
      loadBiases(file, segment).map((bias) => ({ address: address + bias, size, source: file.path })),
    );
  } finally {
    source.close();
  }
}

/**
 * The values that the loader may have added to the addresses in the file: one for every mapping that holds the first
 * segment's first byte (there is more than one when the process also maps the file as data).
 */
export function loadBiases(file: MappedFile, first: Segment): bigint[] {
  const holding = file.mappings.filter(
    ({ start, end, offset }) => offset <= first.offset && first.offset < offset + (end - start),
  );
  return [...new Set(holding.map(({ start, offset }) => start + (first.offset - offset) - first.address))];
}

/** Why a process or one of its files cannot be looked at, as a clause. */
export function whyUnseen(error: unknown, subject: string): string {
  const errno = errnoOf(error);
  if (errno === 'EACCES' || errno === 'EPERM') {
    return `may not look into ${subject} (${errno}); dpcap needs the right to trace the primary (root, CAP_SYS_PTRACE)`;
  }
  return `cannot look into ${subject}: ${(error as Error).message}`;
}
