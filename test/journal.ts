import { spawnSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Journal, stateDir } from '../src/journal.js';

t.test('an entry lives until it is closed', async (t) => {
  const dir = t.testdir({});
  const journal = new Journal(dir);
  t.same(journal.list(), [], 'no journal yet');
  const open = journal.open('kind', 'a mirror', { vf: 1 });
  t.match(
    new Journal(dir).list().map(({ entry }) => entry),
    [{ kind: 'kind', subject: 'a mirror', undo: { vf: 1 }, pid: process.pid }],
  );
  t.same(journal.orphans(), [], 'its owner runs');
  open.close();
  open.close();
  t.same(journal.list(), []);
});

t.test('the entry of a dead process is an orphan', async (t) => {
  const dir = t.testdir({});
  const code = `const { Journal } = await import(${JSON.stringify(new URL('../src/journal.js', import.meta.url).href)});
    new Journal(${JSON.stringify(dir)}).open('kind', 'left', null);`;
  t.equal(spawnSync(process.execPath, ['--input-type=module', '-e', code]).status, 0);
  t.equal(new Journal(dir).orphans().length, 1);
});

t.test('rubbish in the journal is left alone', async (t) => {
  const dir = t.testdir({ journal: { 'a.json': '{', 'b.json': '{"kind":1}', 'c.txt': '' } });
  t.same(new Journal(dir).list(), []);
  writeFileSync(join(dir, 'journal', 'd.json'), '[]');
  t.same(new Journal(dir).orphans(), []);
  t.equal(readdirSync(join(dir, 'journal')).length, 4);
});

t.test('where it lives', async (t) => {
  t.equal(stateDir({ XDG_STATE_HOME: '/x' }, 0), '/x/dpcap');
  t.equal(stateDir({}, 0), '/var/lib/dpcap');
  t.match(stateDir({}, 1000), /\.local\/state\/dpcap$/);
});
