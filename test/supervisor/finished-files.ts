/** Names of finished files are written down, and a journal entry stands as long as files may be left unfinished. */
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { unfinishedName } from '../../src/sinks/unfinished.js';
import { FinishedFiles } from '../../src/supervisor/finished-files.js';
import { Journal } from '../../src/system/journal.js';
import { recoveredKind } from '../../src/watchdog/undoers.js';
import { ownDir } from '../helpers/own-dir.js';

/** A journal of the test's own. */
function ownJournal(t: Test): void {
  const before = process.env.XDG_STATE_HOME;
  t.testdir({});
  process.env.XDG_STATE_HOME = ownDir(t);
  t.teardown(() => {
    if (before === undefined) delete process.env.XDG_STATE_HOME;
    else process.env.XDG_STATE_HOME = before;
  });
}

function outputIn(t: Test): { kind: 'file'; path: string; unfinished: string } {
  const path = join(t.testdirName, 'x.pcap');
  return { kind: 'file', path, unfinished: unfinishedName(path) };
}

t.test('a line for each file, in a file that is begun anew', async (t) => {
  ownJournal(t);
  const list = join(t.testdirName, 'list');
  writeFileSync(list, 'old\nold\nold\n');
  const files = new FinishedFiles({ printName: list }, outputIn(t), t.fail);
  files.add('/data/a.pcap');
  t.equal(readFileSync(list, 'utf8'), '/data/a.pcap\n', 'at once');
  files.add('/data/b.pcap');
  await files.end();
  t.equal(readFileSync(list, 'utf8'), '/data/a.pcap\n/data/b.pcap\n');
});

t.test('a list that cannot be made, or is a link, is an error before anything begins', async (t) => {
  ownJournal(t);
  const link = join(t.testdirName, 'link');
  symlinkSync(join(t.testdirName, 'elsewhere'), link);
  for (const printName of [link, '/nonexistent/list'])
    t.throws(() => new FinishedFiles({ printName }, outputIn(t), t.fail), { code: 'ERR_SINK_OPEN' });
  t.same(new Journal().list(), []);
});

t.test('a list that fails later is told, and ends nothing', async (t) => {
  ownJournal(t);
  const told: string[] = [];
  const files = new FinishedFiles({ printName: '/dev/full' }, outputIn(t), (text) => told.push(text));
  files.add('a');
  files.add('b');
  await files.end();
  t.match(told, [/cannot write the names of files any more: .*ENOSPC/]);
});

t.test('what a killed capture leaves unfinished is in the journal, for recover to name', async (t) => {
  ownJournal(t);
  const output = outputIn(t);
  const files = new FinishedFiles({}, output, t.fail);
  const [open] = new Journal().list();
  if (!open) return t.fail('no entry');
  t.match(open.entry, { kind: 'unfinished-files', subject: output.path });
  const kind = recoveredKind(open.entry.kind);
  t.match(await kind?.undo(open), /left no unfinished file/);
  writeFileSync(output.unfinished, 'packets');
  writeFileSync(`${output.path}.${process.pid}-0123456789ab.partial`, '');
  writeFileSync(`${output.path}.other.partial`, 'of another program');
  t.match(await kind?.undo(open), /left unfinished: .*\.partial \((7|0) bytes\), .*\.partial \((7|0) bytes\); tcpdump/);
  t.equal(readFileSync(output.unfinished, 'utf8'), 'packets', 'it stays');
  await files.end();
  t.same(new Journal().list(), []);
});
