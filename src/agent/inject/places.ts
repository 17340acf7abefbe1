/** Addresses in a process: the functions that are called there, and bytes that nobody uses. */
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { REPORT_ROOM } from '../../native/inject-binding.js';
import { loadBiases } from '../../primary/memory/process-variable.js';
import { findExported, readSegments, type Segment } from '../../system/elf.js';
import { type MappedFile, type Mapping, mappedFiles, parseMaps } from '../../system/maps.js';
import { type OpenFile, openMapped } from '../../system/process-memory.js';

/** What is called; of glibc. */
export const FUNCTIONS = ['dlopen', 'dlerror', 'memfd_create', 'close'] as const;
export type Functions = Record<(typeof FUNCTIONS)[number], bigint>;

/** Where everything is. */
export interface Places {
  functions: Functions;
  code: bigint;
  report: bigint;
}

/** What a process has mapped, as far as it matters here. */
export interface Mapped {
  hasGlibc: boolean;
  /** Undefined where a function is missing, or no mapping has room. */
  places: Places | undefined;
}

const PAGE = 4096n;
/** glibc's library, by its name up to 2.33 and from then on, and the one that had dlopen() up to 2.33. */
const GLIBC = /^libc(-2\.\d+)?\.so(\.6)?$/;
const LIBDL = /^libdl(-2\.\d+)?\.so(\.2)?$/;

/** Looks at the mapped files of a process. @throws Error when it has ended, or may not be looked at */
export function findPlaces(pid: number, room: number, procDir = '/proc'): Mapped {
  const dir = join(procDir, String(pid));
  const mappings = parseMaps(readFileSync(join(dir, 'maps'), 'latin1'));
  const files = mappedFiles(mappings);
  const glibc = files.filter(({ path }) => GLIBC.test(basename(path)));
  if (glibc.length === 0) return { hasGlibc: false, places: undefined };
  const libdl = files.filter(({ path }) => LIBDL.test(basename(path)));
  const functions = findFunctions([...glibc, ...libdl], dir);
  // glibc's own pages first: they are the same in every process, and have room.
  const others = files.filter((file) => !glibc.includes(file) && file.mappings.some(isExecutable));
  const ordered = [...glibc, ...others];
  const code = firstIn(ordered, dir, (file, segments) => codePadding(file, segments, room));
  const report = firstIn(ordered, dir, (file, segments) => dataPadding(file, segments, mappings));
  const isWhole = functions !== undefined && code !== undefined && report !== undefined;
  return { hasGlibc: true, places: isWhole ? { functions, code, report } : undefined };
}

/** A program or a library; what else is mapped may be a device. */
function isExecutable({ permissions }: Mapping): boolean {
  return permissions.includes('x');
}

function findFunctions(files: readonly MappedFile[], dir: string): Functions | undefined {
  const found = new Map<string, bigint>();
  for (const file of files) {
    inFile(file, dir, (source, segments) => {
      const bias = biasOf(file, segments);
      for (const name of FUNCTIONS) {
        const [symbol] = findExported(source, name);
        if (symbol && bias !== undefined && !found.has(name)) found.set(name, bias + symbol.address);
      }
    });
  }
  return FUNCTIONS.every((name) => found.has(name)) ? (Object.fromEntries(found) as Functions) : undefined;
}

function firstIn(
  files: readonly MappedFile[],
  dir: string,
  look: (file: MappedFile, segments: readonly Segment[]) => bigint | undefined,
): bigint | undefined {
  for (const file of files) {
    const place = inFile(file, dir, (_, segments) => look(file, segments));
    if (place !== undefined) return place;
  }
  return undefined;
}

/** Undefined for a file that is no ELF file, or cannot be opened: others may do. */
function inFile<T>(
  file: MappedFile,
  dir: string,
  look: (source: OpenFile, segments: readonly Segment[]) => T,
): T | undefined {
  let source: OpenFile;
  try {
    source = openMapped(file, dir);
  } catch {
    return undefined;
  }
  try {
    const segments = readSegments(source);
    return segments && segments.length > 0 ? look(source, segments) : undefined;
  } finally {
    source.close();
  }
}

function biasOf(file: MappedFile, segments: readonly Segment[]): bigint | undefined {
  return segments[0] && loadBiases(file, segments[0])[0];
}

/** The bytes behind the code of a file, up to the end of its last page. */
export function codePadding(file: MappedFile, segments: readonly Segment[], room: number): bigint | undefined {
  for (const mapping of file.mappings) {
    if (mapping.permissions !== 'r-xp') continue;
    const segment = segments.find(({ offset }) => isIn(mapping, offset));
    if (!segment) continue;
    const end = roundUp(mapping.start + (segment.offset - mapping.offset) + segment.fileSize, 16n);
    if (end >= mapping.start && end + BigInt(room) <= mapping.end) return end;
  }
  return undefined;
}

/** The bytes behind the variables of a file that begin as 0 (.bss), up to the end of their last page. */
export function dataPadding(
  file: MappedFile,
  segments: readonly Segment[],
  mappings: readonly Mapping[],
): bigint | undefined {
  const bias = biasOf(file, segments);
  const data = segments.filter(({ memorySize, fileSize }) => memorySize > fileSize).at(-1);
  if (bias === undefined || !data) return undefined;
  const end = bias + data.address + data.memorySize;
  const [place, pageEnd] = [roundUp(end, 8n), roundUp(end, PAGE)];
  if (place + BigInt(REPORT_ROOM) > pageEnd) return undefined;
  const isWritable = mappings.some(
    ({ start, end, permissions }) => start <= place && place < end && permissions === 'rw-p',
  );
  return isWritable ? place : undefined;
}

function isIn({ start, end, offset }: Mapping, place: bigint): boolean {
  return offset <= place && place < offset + (end - start);
}

function roundUp(value: bigint, unit: bigint): bigint {
  return ((value + unit - 1n) / unit) * unit;
}
