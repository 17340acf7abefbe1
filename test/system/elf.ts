import fc from 'fast-check';
import t from 'tap';
import { findSymbol, readSegments } from '../../src/system/elf.js';
import { bufferSource, elfImage } from '../primary/helpers/elf-image.js';

const SYMBOLS = [
  { name: 'other_table', address: 1n, size: 2n },
  { name: 'table', address: 0xf2480n, size: 2112n },
  { name: 'imported', address: 0n, size: 0n, defined: false },
];

for (const [name, tableType] of [
  ['.dynsym', 11],
  ['.symtab', 2],
] as const) {
  const source = bufferSource(elfImage({ symbols: SYMBOLS, tableType }));
  t.same(findSymbol(source, 'table'), [{ address: 0xf2480n, size: 2112n }], `${name}: a definition`);
  t.same(findSymbol(source, 'imported'), [], `${name}: an import is none`);
  t.same(findSymbol(source, 'absent'), [], `${name}: absent`);
}

const source = bufferSource(elfImage({ symbols: SYMBOLS, segmentAddress: 0x400000n }));
t.match(readSegments(source), [{ offset: 0n, address: 0x400000n }]);
t.equal(readSegments(bufferSource(Buffer.from('#!/bin/sh\n'))), undefined, 'another kind of file');

t.test('damaged files are read without a throw, and nothing is read outside them', async (t) => {
  const image = elfImage({ symbols: SYMBOLS });
  const damage = fc.array(fc.tuple(fc.nat(image.length - 1), fc.nat(255)), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(damage, fc.nat(image.length), (changes, length) => {
      const bytes = Buffer.from(image);
      for (const [at, value] of changes) bytes[at] = value;
      const checked = {
        size: length,
        read(offset: number, wanted: number): Buffer {
          if (offset < 0 || wanted < 0 || offset + wanted > length) throw new Error('outside of the file');
          return bytes.subarray(offset, offset + wanted);
        },
      };
      return Array.isArray(findSymbol(checked, 'table')) && Array.isArray(readSegments(checked) ?? []);
    }),
    { numRuns: 3000 },
  );
  fc.assert(fc.property(fc.uint8Array(), (bytes) => findSymbol(bufferSource(Buffer.from(bytes)), 'x').length === 0));
  t.pass('');
});
