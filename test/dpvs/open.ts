import { join } from 'node:path';
import t from 'tap';
import { openDpvs } from '../../src/dpvs/open.js';
import { FakeDpvs } from './helpers/fake-dpvs.js';
import { tempDir } from './helpers/temp-dir.js';

t.test('the path that answers is taken', async (t) => {
  const dir = tempDir(t);
  const [stale, live] = [join(dir, 'stale'), join(dir, 'live')];
  const fake = await FakeDpvs.start({ path: live, dialect: 'A' });
  t.teardown(() => fake.stop());
  t.equal((await openDpvs([stale, live])).path, live);
  await t.rejects(openDpvs([stale]), { code: 'ERR_DPVS_ABSENT', errno: 'ENOENT' });
  await t.rejects(openDpvs([stale, `${stale}2`]), { message: /no socket at .*stale or .*stale2/, hint: /--ipc-file/ });
});

t.test('a path where something else answers ends the search', async (t) => {
  const dir = tempDir(t);
  const [foreign, live] = [join(dir, 'foreign'), join(dir, 'live')];
  const fakes = [
    await FakeDpvs.start({ path: foreign, dialect: 'C', fault: () => ({ kind: 'close' }) }),
    await FakeDpvs.start({ path: live, dialect: 'C' }),
  ];
  t.teardown(() => Promise.all(fakes.map((fake) => fake.stop())));
  await t.rejects(openDpvs([foreign, live]), { code: 'ERR_DPVS_FOREIGN' });
});
