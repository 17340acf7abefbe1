/** A ring gives up its oldest files, and only its own. */
import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Ring } from '../../../src/sinks/rotation/ring.js';

t.test('the oldest go first', async (t) => {
  const folder = t.testdir({ a: '', b: '', c: '', other: '' });
  const ring = new Ring(t.fail);
  for (const name of ['b', 'c', 'a']) await ring.add(join(folder, name));
  await ring.shrinkTo(2);
  t.same(
    ['a', 'b', 'c', 'other'].map((name) => existsSync(join(folder, name))),
    [true, false, true, true],
  );
  await ring.shrinkTo(0);
  t.equal(ring.size, 0);
  await ring.giveUpOldest();
  t.ok(existsSync(join(folder, 'other')));
});

t.test('a file of that name that is not ours stays, and is named', async (t) => {
  const folder = t.testdir({ ours: '', theirs: 'x' });
  const path = join(folder, 'ours');
  const notices: string[] = [];
  const ring = new Ring((text) => notices.push(text));
  await ring.add(path);
  renameSync(join(folder, 'theirs'), path);
  await ring.shrinkTo(0);
  t.ok(existsSync(path));
  t.match(notices, [/left .*ours alone/]);
});

t.test('a file that is gone already is no loss; one that was replaced counts once', async (t) => {
  const folder = t.testdir({ a: '', b: '' });
  const ring = new Ring(t.fail);
  await ring.add(join(folder, 'a'));
  renameSync(join(folder, 'a'), join(folder, 'gone'));
  writeFileSync(join(folder, 'a'), 'again');
  await ring.add(join(folder, 'a'));
  t.equal(ring.size, 1);
  renameSync(join(folder, 'a'), join(folder, 'gone too'));
  await ring.shrinkTo(0);
});
