import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { memzoneNames, parseMemzones } from '../../src/primary/memzones.js';
import { memzoneBytes, ZONES } from './helpers/fake-host.js';

t.same(
  parseMemzones(memzoneBytes(['a', '', 'rte_pdump_stats']), ZONES),
  ['a', 'rte_pdump_stats'],
  'freed ones are zero',
);
t.equal(memzoneNames('/nonexistent', ZONES), undefined);

t.test('from a runtime directory', async (t) => {
  const dir = t.testdir();
  writeFileSync(join(dir, 'fbarray_memzone'), memzoneBytes(['x']));
  t.same(memzoneNames(dir, ZONES), ['x']);
});

t.test('any bytes are read without a throw', async (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 1000 }), (bytes) =>
      parseMemzones(Buffer.from(bytes), ZONES).every((name) => name.length > 0 && name.length <= ZONES.nameSize),
    ),
  );
  t.pass('');
});
