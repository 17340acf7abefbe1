import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { memzoneNames, parseMemzones } from '../../../src/primary/memory/memzones.js';
import { memzoneBytes, ZONES } from '../helpers/fake-host.js';

t.same(
  parseMemzones(memzoneBytes(['a', '', 'rte_pdump_stats']), ZONES),
  ['a', 'rte_pdump_stats'],
  'freed ones are zero',
);
t.equal(memzoneNames('/nonexistent', ZONES), undefined);

t.test('the file tells how many zones there can be, and its mask is not taken for zones', async (t) => {
  // rte_memzone_max_set() of DPDK 23.07 and later; 2560 zones have 40 = "(" words in their mask.
  for (const length of [1, 64, 100, 2560, 2600, 20000]) {
    const names = Array.from({ length: Math.min(length, 70) }, (_, i) => `zone_${i}`);
    t.same(parseMemzones(memzoneBytes(names, length), ZONES), names, `room for ${length}`);
    t.same(parseMemzones(memzoneBytes([], length), ZONES), [], `none in ${length}`);
  }
  const full = Array.from({ length: 2560 }, (_, i) => `zone_${i}`);
  t.same(parseMemzones(memzoneBytes(full), ZONES), full);
});

t.test('what is no such file says nothing', async (t) => {
  t.equal(parseMemzones(Buffer.alloc(0), ZONES), undefined);
  t.equal(parseMemzones(Buffer.alloc(188416), ZONES), undefined, 'no mask yet');
  t.equal(parseMemzones(memzoneBytes(['a', 'b', 'c']).subarray(0, 4096), ZONES), undefined, 'cut');
});

t.test('a zone that is being made has its bit already', async (t) => {
  const bytes = memzoneBytes(['a', 'b']);
  bytes.fill(0, ZONES.entrySize, ZONES.entrySize + ZONES.nameSize);
  t.same(parseMemzones(bytes, ZONES), ['a']);
});

t.test('from a runtime directory', async (t) => {
  const dir = t.testdir();
  writeFileSync(join(dir, 'fbarray_memzone'), memzoneBytes(['x']));
  t.same(memzoneNames(dir, ZONES), ['x']);
});

t.test('any bytes are read without a throw', async (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 1000 }), (bytes) =>
      (parseMemzones(Buffer.from(bytes), ZONES) ?? []).every(
        (name) => name.length > 0 && name.length <= ZONES.nameSize,
      ),
    ),
  );
  t.pass('');
});
