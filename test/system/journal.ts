import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Journal, stateDir } from '../../src/system/journal.js';
import { ownDir } from '../helpers/own-dir.js';

t.test('an entry lives until it is closed', async (t) => {
  const dir = ownDir(t);
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
  const dir = ownDir(t);
  const code = `const { Journal } = await import(${JSON.stringify(new URL('../../src/system/journal.js', import.meta.url).href)});
    new Journal(${JSON.stringify(dir)}).open('kind', 'left', null);`;
  t.equal(spawnSync(process.execPath, ['--input-type=module', '-e', code]).status, 0);
  t.equal(new Journal(dir).orphans().length, 1);
});

t.test('rubbish in the journal is left alone', async (t) => {
  const dir = ownDir(t, { journal: { 'a.json': '{', 'b.json': '{"kind":1}', 'c.txt': '' } });
  t.same(new Journal(dir).list(), []);
  writeFileSync(join(dir, 'journal', 'd.json'), '[]');
  t.same(new Journal(dir).orphans(), []);
  t.equal(readdirSync(join(dir, 'journal')).length, 4);
});

const NOBODY = 65534;
const asRoot = process.geteuid?.() === 0 ? false : 'must run as root to have a second user';

/** A journal with one entry, whose file can be changed. */
function oneEntry(t: { teardown(undo: () => void): void }): {
  journal: Journal;
  dir: string;
  path: string;
} {
  const dir = join(ownDir(t), 'state');
  const journal = new Journal(dir);
  journal.open('kind', 'left', null);
  const [name] = readdirSync(join(dir, 'journal'));
  return { journal, dir, path: join(dir, 'journal', name as string) };
}

t.test('an entry that somebody else can have written is told, not carried out', { skip: asRoot }, async (t) => {
  const { journal, path } = oneEntry(t);
  chownSync(path, NOBODY, NOBODY);
  t.same(journal.list(), []);
  t.match(journal.refused(), [{ path, why: /belongs to user 65534/ }]);
  chownSync(path, 0, 0);
  chmodSync(path, 0o666);
  t.match(journal.refused(), [{ path, why: /everybody/ }]);
  chmodSync(path, 0o600);
  renameSync(path, `${path}.moved`);
  symlinkSync(`${path}.moved`, path);
  t.match(journal.refused(), [{ path }], 'a link');
  t.same(journal.list(), []);
});

t.test('a journal that somebody else can write into is not read', { skip: asRoot }, async (t) => {
  const { journal, dir } = oneEntry(t);
  chownSync(join(dir, 'journal'), NOBODY, NOBODY);
  t.throws(() => journal.list(), { code: 'ERR_PERMISSION', message: /belongs to user 65534/ });
  t.throws(() => journal.open('kind', 'x', null), { code: 'EPERM' });
});

t.test('an entry of another PID namespace', async (t) => {
  const { journal, path } = oneEntry(t);
  const entry = JSON.parse(readFileSync(path, 'utf8'));
  t.match(entry, { pid: process.pid, pidNamespace: Number });
  writeFileSync(path, JSON.stringify({ ...entry, pidNamespace: 1 }));
  // Who sees all processes knows that this namespace has none; anybody else does not.
  const seesAll = entry.pidNamespace === 0xeffffffc;
  t.equal(journal.orphans().length, seesAll ? 1 : 0);
  t.equal(journal.refused().length, seesAll ? 0 : 1);
});

t.test('where it lives', async (t) => {
  const dir = ownDir(t);
  t.equal(stateDir({ XDG_STATE_HOME: dir }, 0), join(dir, 'dpcap'));
  t.equal(stateDir({ XDG_STATE_HOME: '/x' }, 1000), '/x/dpcap');
  t.equal(stateDir({ XDG_STATE_HOME: 'x' }, 0), '/var/lib/dpcap', 'a relative one is none');
  t.equal(stateDir({}, 0), '/var/lib/dpcap');
  t.match(stateDir({}, 1000), /\.local\/state\/dpcap$/);
});

t.test("as root not in another user's folder, as sudo -E would have it", { skip: asRoot }, async (t) => {
  const home = ownDir(t);
  chownSync(home, NOBODY, NOBODY);
  t.equal(stateDir({ XDG_STATE_HOME: home }, 0), '/var/lib/dpcap');
});
