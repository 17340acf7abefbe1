/** Builds small 64-bit ELF files: one segment, one symbol table. */
import type { ByteSource } from '../../../src/system/elf.js';

export interface ElfOptions {
  symbols: { name: string; address: bigint; size: bigint; defined?: boolean }[];
  /** SHT_DYNSYM (11) or SHT_SYMTAB (2). */
  tableType?: number;
  segmentAddress?: bigint;
}

/** File header, one PT_LOAD from offset 0, then strings, symbols and three section headers. */
export function elfImage({ symbols, tableType = 11, segmentAddress = 0n }: ElfOptions): Buffer {
  const strings = Buffer.from(`\0${symbols.map((symbol) => `${symbol.name}\0`).join('')}`, 'latin1');
  const stringsAt = 120;
  const symbolsAt = stringsAt + strings.length;
  const sectionsAt = symbolsAt + 24 * (symbols.length + 1);
  const image = Buffer.alloc(sectionsAt + 3 * 64);
  Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]).copy(image);
  image.writeBigUInt64LE(64n, 32);
  image.writeBigUInt64LE(BigInt(sectionsAt), 40);
  for (const [value, at] of [
    [56, 54],
    [1, 56],
    [64, 58],
    [3, 60],
  ] as const)
    image.writeUInt16LE(value, at);
  image.writeUInt32LE(1, 64);
  image.writeBigUInt64LE(segmentAddress, 64 + 16);
  image.writeBigUInt64LE(BigInt(image.length), 64 + 32);
  image.writeBigUInt64LE(BigInt(image.length), 64 + 40);
  strings.copy(image, stringsAt);
  let nameAt = 1;
  symbols.forEach(({ name, address, size, defined = true }, i) => {
    const at = symbolsAt + 24 * (i + 1);
    image.writeUInt32LE(nameAt, at);
    image.writeUInt16LE(defined ? 1 : 0, at + 6);
    image.writeBigUInt64LE(address, at + 8);
    image.writeBigUInt64LE(size, at + 16);
    nameAt += name.length + 1;
  });
  writeSection(image, sectionsAt + 64, 3, stringsAt, strings.length, 0);
  writeSection(image, sectionsAt + 128, tableType, symbolsAt, 24 * (symbols.length + 1), 1);
  return image;
}

function writeSection(image: Buffer, at: number, type: number, offset: number, size: number, link: number): void {
  image.writeUInt32LE(type, at + 4);
  image.writeBigUInt64LE(BigInt(offset), at + 24);
  image.writeBigUInt64LE(BigInt(size), at + 32);
  image.writeUInt32LE(link, at + 40);
}

/** A file that is a buffer. */
export function bufferSource(bytes: Buffer): ByteSource {
  return { size: bytes.length, read: (offset, length) => bytes.subarray(offset, offset + length) };
}
