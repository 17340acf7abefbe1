import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { parseMemzones, readMemzones } from '../../../src/primary/memory/memzones.js';
import { memzoneBytes, ZONES } from '../helpers/fake-host.js';

const namesIn = (bytes: Buffer): string[] | undefined => parseMemzones(bytes, ZONES)?.map(({ name }) => name);

t.same(namesIn(memzoneBytes(['a', '', 'rte_pdump_stats'])), ['a', 'rte_pdump_stats'], 'freed ones are zero');
t.equal(readMemzones('/nonexistent', ZONES), undefined);

t.test('the file tells how many zones there can be, and its mask is not taken for zones', async (t) => {
  // rte_memzone_max_set() of DPDK 23.07 and later; 2560 zones have 40 = "(" words in their mask.
  for (const length of [1, 64, 100, 2560, 2600, 20000]) {
    const names = Array.from({ length: Math.min(length, 70) }, (_, i) => `zone_${i}`);
    t.same(namesIn(memzoneBytes(names, length)), names, `room for ${length}`);
    t.same(namesIn(memzoneBytes([], length)), [], `none in ${length}`);
  }
  const full = Array.from({ length: 2560 }, (_, i) => `zone_${i}`);
  t.same(namesIn(memzoneBytes(full)), full);
});

t.test('what is no such file says nothing', async (t) => {
  t.equal(parseMemzones(Buffer.alloc(0), ZONES), undefined);
  t.equal(parseMemzones(Buffer.alloc(188416), ZONES), undefined, 'no mask yet');
  t.equal(parseMemzones(memzoneBytes(['a', 'b', 'c']).subarray(0, 4096), ZONES), undefined, 'cut');
});

t.test('a zone that is being made has its bit already', async (t) => {
  const bytes = memzoneBytes(['a', 'b']);
  bytes.fill(0, ZONES.entrySize, ZONES.entrySize + ZONES.nameSize);
  t.same(namesIn(bytes), ['a']);
});

t.test('each has its size', async (t) => {
  const bytes = memzoneBytes(['a', 'b']);
  bytes.writeBigUInt64LE(4096n, ZONES.entrySize + ZONES.lengthOffset);
  t.same(parseMemzones(bytes, ZONES), [
    { name: 'a', bytes: 0 },
    { name: 'b', bytes: 4096 },
  ]);
});

t.test('from a runtime directory', async (t) => {
  const dir = t.testdir();
  writeFileSync(join(dir, 'fbarray_memzone'), memzoneBytes(['x']));
  t.same(readMemzones(dir, ZONES), [{ name: 'x', bytes: 0 }]);
});

t.test('any bytes are read without a throw', async (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 1000 }), (bytes) =>
      (namesIn(Buffer.from(bytes)) ?? []).every((name) => name.length > 0 && name.length <= ZONES.nameSize),
    ),
  );
  t.pass('');
});
