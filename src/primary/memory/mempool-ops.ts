/**
 * Reads the primary's numbering of its mempool handlers exactly, from the variable `rte_mempool_ops_table` in its
 * memory. Every process numbers its handlers itself and nothing keeps two processes alike, so a secondary must find it
 * out.
 */
import { readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { errnoOf } from '../../errors.js';
import type { OpsLayout } from '../../native/host-binding.js';
import { findSymbol, readSegments, type Segment } from '../../system/elf.js';
import { type MappedFile, mappedFiles, parseMaps } from '../../system/maps.js';
import { openMapped, readMemory } from '../../system/process-memory.js';

const SYMBOL = 'rte_mempool_ops_table';
/** Registered by librte_mempool_ring, which every application that can be captured has: mbuf pools need it. */
const ALWAYS_THERE = 'ring_mp_mc';

/** The names in the order of their index, or the reason why they are not known. */
export type OpsReading =
  | { names: string[] /** The file that defines the table. */; source: string }
  | { names: undefined; reason: string };

/** Reads the table of process `pid`. It needs the right to trace the process (root), and never throws. */
export function readPrimaryOps(pid: number, layout: OpsLayout, procDir = '/proc'): OpsReading {
  const dir = join(procDir, String(pid));
  try {
    const files = candidateFiles(mappedFiles(parseMaps(readFileSync(join(dir, 'maps'), 'latin1'))), dir);
    if (files.length === 0) return unknown(`process ${pid} has no executable files mapped`);
    return firstReading(files, dir, layout);
  } catch (error) {
    return unknown(explain(error, `process ${pid}`));
  }
}

/**
 * Finds the files that may define the table, the likeliest first. The executable comes before the library: an
 * executable that is not position independent in its data accesses holds the only live copy (a COPY relocation), as
 * Debian's testpmd does.
 */
function candidateFiles(files: MappedFile[], dir: string): MappedFile[] {
  const executable = inodeOf(join(dir, 'exe'));
  const rank = (file: MappedFile): number => {
    if (file.inode === executable) return 0;
    return basename(file.path).startsWith('librte_mempool.so') ? 1 : 2;
  };
  return files
    .filter((file) => file.mappings.some((mapping) => mapping.permissions.includes('x')))
    .sort((a, b) => rank(a) - rank(b));
}

function inodeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino;
}

/** Returns the first table that makes sense; otherwise the most telling reason, which is that of the first failure. */
function firstReading(files: MappedFile[], dir: string, layout: OpsLayout): OpsReading {
  const reasons: string[] = [];
  for (const file of files) {
    try {
      const reading = readFromFile(file, dir, layout);
      if (reading?.names) return reading;
      if (reading) reasons.push(reading.reason);
    } catch (error) {
      reasons.push(explain(error, file.path));
    }
  }
  return unknown(reasons[0] ?? `no file of the process defines ${SYMBOL}; a static executable may have been stripped`);
}

/** Returns undefined when the file does not define the table at all. */
function readFromFile(file: MappedFile, dir: string, layout: OpsLayout): OpsReading | undefined {
  const source = openMapped(file, dir);
  try {
    const symbols = findSymbol(source, SYMBOL);
    const segment = readSegments(source)?.[0];
    if (symbols.length === 0 || !segment) return undefined;
    const fitting = symbols.filter((symbol) => symbol.size === BigInt(layout.tableSize));
    if (fitting.length === 0) {
      return unknown(`${SYMBOL} in ${file.path} is ${symbols[0]?.size} bytes, here ${layout.tableSize}: another build`);
    }
    const readings = fitting.flatMap(({ address }) =>
      loadBiases(file, segment).map((bias) => readTableAt(address + bias, file, dir, layout)),
    );
    return readings.find((reading) => reading.names) ?? readings[0];
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

function readTableAt(address: bigint, file: MappedFile, dir: string, layout: OpsLayout): OpsReading {
  const decoded = decodeOpsTable(readMemory(dir, address, layout.tableSize), layout);
  return decoded.names ? { names: decoded.names, source: file.path } : unknown(decoded.reason);
}

/** The names in the bytes of a `struct rte_mempool_ops_table`, validated; never throws. */
export function decodeOpsTable(
  bytes: Buffer,
  layout: OpsLayout,
): { names: string[] } | { names: undefined; reason: string } {
  if (bytes.length < layout.tableSize) return unknown(`${SYMBOL} could not be read to its end`);
  const count = bytes.readUInt32LE(layout.numOpsOffset);
  if (count > layout.maxOps) return unknown(`${SYMBOL} claims ${count} handlers, ${layout.maxOps} are possible`);
  const names = Array.from({ length: count }, (_, index) => {
    const at = layout.entriesOffset + index * layout.entrySize;
    const field = bytes.subarray(at, at + layout.nameSize).toString('latin1');
    const end = field.indexOf('\0');
    return end === -1 ? '' : field.slice(0, end);
  });
  if (names.some((name) => !/^[\x21-\x7e]+$/.test(name))) return unknown(`${SYMBOL} holds names that are none`);
  if (new Set(names).size !== names.length) return unknown(`${SYMBOL} holds a name twice`);
  if (!names.includes(ALWAYS_THERE)) return unknown(`${SYMBOL} does not list ${ALWAYS_THERE}`);
  return { names };
}

function explain(error: unknown, subject: string): string {
  const errno = errnoOf(error);
  if (errno === 'EACCES' || errno === 'EPERM') {
    return `may not look into ${subject} (${errno}); dpcap needs the right to trace the primary (root, CAP_SYS_PTRACE)`;
  }
  return `cannot look into ${subject}: ${(error as Error).message}`;
}

function unknown(reason: string): { names: undefined; reason: string } {
  return { names: undefined, reason };
}
