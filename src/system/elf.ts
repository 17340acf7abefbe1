/**
 * A small reader for 64-bit little-endian ELF files: segments, and the address of one symbol.
 * Everything read is checked against the size of the file; a malformed file gives undefined or nothing, never a throw.
 */

/** Random access to a file. Reads past the end come back short. */
export interface ByteSource {
  /** Bytes. */
  readonly size: number;
  read(offset: number, length: number): Buffer;
}

/** A PT_LOAD program header. */
export interface Segment {
  offset: bigint;
  address: bigint;
  fileSize: bigint;
  memorySize: bigint;
}

/** A defined symbol: where it is before the load bias is added. */
export interface ElfSymbol {
  address: bigint;
  size: bigint;
}

const HEADER_SIZE = 64;
const SEGMENT_SIZE = 56;
const SECTION_SIZE = 64;
const SYMBOL_SIZE = 24;
const PT_LOAD = 1;
const SHT_SYMTAB = 2;
const SHT_DYNSYM = 11;
const SHN_UNDEF = 0;
/** Above any real file; keeps a hostile header from asking for gigabytes. */
const ENTRIES_MAX = 4096;
const TABLE_BYTES_MAX = 256 * 1024 * 1024;

/** The parts of the file header that lead to the rest. */
interface Header {
  segmentsOffset: bigint;
  segmentCount: number;
  sectionsOffset: bigint;
  sectionCount: number;
}

interface Section {
  type: number;
  offset: bigint;
  size: bigint;
  link: number;
}

/** The PT_LOAD segments in the order of the file (ascending addresses); undefined when this is no such ELF file. */
export function readSegments(source: ByteSource): Segment[] | undefined {
  const header = readHeader(source);
  const table = header && readTable(source, header.segmentsOffset, header.segmentCount * SEGMENT_SIZE);
  if (!header || !table) return undefined;
  const segments: Segment[] = [];
  for (let at = 0; at + SEGMENT_SIZE <= table.length; at += SEGMENT_SIZE) {
    if (table.readUInt32LE(at) !== PT_LOAD) continue;
    segments.push({
      offset: table.readBigUInt64LE(at + 8),
      address: table.readBigUInt64LE(at + 16),
      fileSize: table.readBigUInt64LE(at + 32),
      memorySize: table.readBigUInt64LE(at + 40),
    });
  }
  return segments;
}

/** The definitions of a symbol in .dynsym and .symtab, the dynamic ones first; imports are left out. */
export function findSymbol(source: ByteSource, name: string): ElfSymbol[] {
  return findIn(source, [SHT_DYNSYM, SHT_SYMTAB], name);
}

/** The definitions of a symbol that the loader, and dlsym(3), can find. */
export function findExported(source: ByteSource, name: string): ElfSymbol[] {
  return findIn(source, [SHT_DYNSYM], name);
}

function findIn(source: ByteSource, types: readonly number[], name: string): ElfSymbol[] {
  const sections = readSections(source) ?? [];
  const tables = types.flatMap((type) => sections.filter((section) => section.type === type));
  return tables.flatMap((table) => {
    const strings = sections[table.link];
    return strings ? findInTable(source, table, strings, name) : [];
  });
}

function findInTable(source: ByteSource, table: Section, strings: Section, name: string): ElfSymbol[] {
  const texts = readTable(source, strings.offset, Number(strings.size));
  const wanted = texts ? namePlaces(texts, name) : new Set<number>();
  const symbols = wanted.size > 0 ? readTable(source, table.offset, Number(table.size)) : undefined;
  if (!symbols) return [];
  const found: ElfSymbol[] = [];
  for (let at = 0; at + SYMBOL_SIZE <= symbols.length; at += SYMBOL_SIZE) {
    if (!wanted.has(symbols.readUInt32LE(at)) || symbols.readUInt16LE(at + 6) === SHN_UNDEF) continue;
    found.push({ address: symbols.readBigUInt64LE(at + 8), size: symbols.readBigUInt64LE(at + 16) });
  }
  return found;
}

/** All offsets of the name in a string table: linkers let a name share the tail of a longer one. */
function namePlaces(strings: Buffer, name: string): Set<number> {
  const places = new Set<number>();
  const text = Buffer.from(`${name}\0`, 'latin1');
  for (let at = strings.indexOf(text); at !== -1; at = strings.indexOf(text, at + 1)) places.add(at);
  return places;
}

function readHeader(source: ByteSource): Header | undefined {
  const bytes = readTable(source, 0n, HEADER_SIZE);
  // 0x7f "ELF", ELFCLASS64, ELFDATA2LSB
  if (bytes?.readUInt32BE(0) !== 0x7f454c46 || bytes[4] !== 2 || bytes[5] !== 1) return undefined;
  if (bytes.readUInt16LE(54) !== SEGMENT_SIZE) return undefined;
  const hasSections = bytes.readUInt16LE(58) === SECTION_SIZE;
  return {
    segmentsOffset: bytes.readBigUInt64LE(32),
    segmentCount: Math.min(bytes.readUInt16LE(56), ENTRIES_MAX),
    sectionsOffset: bytes.readBigUInt64LE(40),
    sectionCount: hasSections ? Math.min(bytes.readUInt16LE(60), ENTRIES_MAX) : 0,
  };
}

function readSections(source: ByteSource): Section[] | undefined {
  const header = readHeader(source);
  const table = header && readTable(source, header.sectionsOffset, header.sectionCount * SECTION_SIZE);
  if (!header || !table) return undefined;
  return Array.from({ length: header.sectionCount }, (_, index) => {
    const at = index * SECTION_SIZE;
    return {
      type: table.readUInt32LE(at + 4),
      offset: table.readBigUInt64LE(at + 24),
      size: table.readBigUInt64LE(at + 32),
      link: table.readUInt32LE(at + 40),
    };
  });
}

/** Exactly `length` bytes, or undefined when the file does not have them. */
function readTable(source: ByteSource, offset: bigint, length: number): Buffer | undefined {
  if (length > TABLE_BYTES_MAX || offset + BigInt(length) > BigInt(source.size)) return undefined;
  const bytes = source.read(Number(offset), length);
  return bytes.length === length ? bytes : undefined;
}
