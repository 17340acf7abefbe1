/** Names of finished files are written down, and a journal entry stands as long as files may be left unfinished. */
import { execFileSync } from 'node:child_process';
import {
  chownSync,
  closeSync,
  constants,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { errnoOf } from '../../src/errors.js';
import { unfinishedName } from '../../src/sinks/unfinished.js';
import { FinishedFiles } from '../../src/supervisor/finished-files.js';
import { Journal } from '../../src/system/journal.js';
import { recoveredKind } from '../../src/watchdog/undoers.js';
import { ownDir } from '../helpers/own-dir.js';

const NOBODY = 65534;
const asRoot = { skip: process.getuid?.() === 0 ? false : 'must run as root' };

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

/** How many bytes there were to be read. */
function readSome(fd: number): number {
  try {
    return readSync(fd, Buffer.alloc(1 << 16));
  } catch (error) {
    if (errnoOf(error) === 'EAGAIN') return 0;
    throw error;
  }
}

t.test('a reader that is slow holds nobody up, and gets all names that wait for it', async (t) => {
  ownJournal(t);
  const fifo = join(t.testdirName, 'fifo');
  execFileSync('mkfifo', [fifo]);
  const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
  const told: string[] = [];
  for (const printName of [fifo, `/dev/fd/${openSync(fifo, 'w')}`]) {
    const files = new FinishedFiles({ printName }, outputIn(t), (text) => told.push(text));
    const name = `/${'x'.repeat(998)}`;
    for (let times = 0; times < 100; times++) files.add(name); // more than a pipe holds
    const ended = files.end();
    let bytes = 0;
    for (; bytes < 100_000; await nextTurn()) bytes += readSome(reader);
    await ended;
    t.same([bytes, told], [100_000, []], printName);
  }
  const files = new FinishedFiles({ printName: fifo }, outputIn(t), (text) => told.push(text));
  for (let times = 0; times < 200; times++) files.add(`/${'x'.repeat(998)}`);
  t.match(told, [/left out: its reader is too slow/], 'told once');
  closeSync(reader);
  await files.end();
});

t.test('a list is whose the files are, and another user leads it nowhere', asRoot, async (t) => {
  ownJournal(t);
  const dir = join(t.testdirName, 'dir');
  mkdirSync(dir);
  chownSync(dir, NOBODY, NOBODY);
  const owned = { ...outputIn(t), owner: { uid: NOBODY, gid: NOBODY } };
  const list = join(dir, 'list');
  await new FinishedFiles({ printName: list }, owned, t.fail).end();
  t.match(statSync(list), { uid: NOBODY, gid: NOBODY });
  const precious = join(dir, 'precious');
  writeFileSync(precious, 'precious');
  linkSync(precious, join(dir, 'twin'));
  t.throws(() => new FinishedFiles({ printName: join(dir, 'twin') }, outputIn(t), t.fail), {
    code: 'ERR_SINK_OPEN',
    errno: 'EACCES',
  });
  t.equal(readFileSync(precious, 'utf8'), 'precious');
});

t.test('a list that fails later is told, and ends nothing', async (t) => {
  ownJournal(t);
  const told: string[] = [];
  const files = new FinishedFiles({ printName: '/dev/full' }, outputIn(t), (text) => told.push(text));
  files.add('a');
  files.add('b');
  await files.end();
  t.match(told, [/names of files are left out: .*ENOSPC/]);
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
