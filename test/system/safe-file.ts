import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  faultOfDir,
  inFolder,
  makePrivateDir,
  readRegular,
  readTrusted,
  replaceFile,
  StagedFile,
} from '../../src/system/safe-file.js';
import { ownDir } from '../helpers/own-dir.js';

const NOBODY = 65534;
const asRoot = process.geteuid?.() === 0 ? false : 'must run as root to have a second user';

t.test('a file is written whole, with its owner and mode, and nothing else', async (t) => {
  const dir = ownDir(t, { target: 'precious', 'old.json': 'old' });
  symlinkSync(join(dir, 'target'), join(dir, 'link.json'));
  replaceFile(join(dir, 'old.json'), 'new');
  replaceFile(join(dir, 'link.json'), 'new');
  t.equal(readFileSync(join(dir, 'old.json'), 'utf8'), 'new');
  t.equal(statSync(join(dir, 'old.json')).mode & 0o7777, 0o600);
  t.equal(lstatSync(join(dir, 'link.json')).isSymbolicLink(), false, 'a link is replaced, not followed');
  t.equal(readFileSync(join(dir, 'target'), 'utf8'), 'precious');
  t.same(readdirSync(dir).sort(), ['link.json', 'old.json', 'target']);
});

t.test('set-user-id bits are never given', { skip: asRoot }, async (t) => {
  const dir = ownDir(t);
  new StagedFile(dir, 'x-', Buffer.from('a'), { uid: NOBODY, gid: NOBODY, mode: 0o6755 }).publish('a');
  t.match(statSync(join(dir, 'a')), { uid: NOBODY, gid: NOBODY });
  t.equal(statSync(join(dir, 'a')).mode & 0o7777, 0o755);
});

t.test('a name that is taken stays what it was', async (t) => {
  const dir = ownDir(t, { target: 'precious' });
  symlinkSync(join(dir, 'target'), join(dir, 'a'));
  const staged = new StagedFile(dir, 'x-', Buffer.from('a'));
  t.throws(() => staged.publish('a'), { code: 'EEXIST' });
  staged.discard();
  staged.discard();
  t.same(readdirSync(dir).sort(), ['a', 'target']);
  t.equal(readFileSync(join(dir, 'target'), 'utf8'), 'precious');
});

t.test('an open folder stays that folder, whatever takes its place', async (t) => {
  const top = ownDir(t, { mine: { 'answer.0': '' }, other: { keep: '' } });
  inFolder(join(top, 'mine'), (folder) => {
    renameSync(join(top, 'mine'), join(top, 'moved'));
    symlinkSync(join(top, 'other'), join(top, 'mine'));
    t.throws(() => folder.removeAll(), 'the folder that bears its name now is not removed');
  });
  t.same(readdirSync(join(top, 'other')), ['keep']);
  t.same(readdirSync(join(top, 'moved')), []);
  t.throws(() => inFolder(join(top, 'mine'), () => {}), { code: /ENOTDIR|ELOOP/ }, 'a link is no folder');
  inFolder(top, (folder) => t.throws(() => folder.at('../x'), /not a file name/));
});

t.test('what is no regular file is not read, and does not block', async (t) => {
  const dir = ownDir(t, { file: 'text' });
  execFileSync('mkfifo', [join(dir, 'fifo')]);
  symlinkSync(join(dir, 'file'), join(dir, 'link'));
  for (const name of ['fifo', 'link', '.']) t.throws(() => readRegular(join(dir, name)), name);
  t.equal(readRegular(join(dir, 'file')).bytes.toString(), 'text');
  t.equal(readRegular(join(dir, 'file'), 2, 1).bytes.toString(), 'x');
  t.equal(readRegular(join(dir, 'file'), 9).bytes.length, 0);
});

t.test('what another user can change is not trusted', { skip: asRoot }, async (t) => {
  const top = ownDir(t, { theirs: {}, everybody: {}, ours: {}, sticky: {} });
  const dir = (name: string): string => join(top, name);
  chownSync(dir('theirs'), NOBODY, NOBODY);
  chmodSync(dir('everybody'), 0o777);
  chmodSync(dir('sticky'), 0o1777);
  mkdirSync(join(dir('theirs'), 'inner'));
  mkdirSync(join(dir('sticky'), 'inner'));
  symlinkSync(dir('theirs'), join(dir('ours'), 'link'));
  t.match(faultOfDir(dir('theirs')), /belongs to user 65534/);
  t.match(faultOfDir(join(dir('theirs'), 'inner')), /theirs belongs to/, 'a folder above it');
  t.match(faultOfDir(join(dir('theirs'), 'not', 'there')), /theirs belongs to/);
  t.match(faultOfDir(dir('everybody')), /everybody/);
  t.match(faultOfDir(dir('sticky')), /everybody/, 'files can be planted there');
  t.match(faultOfDir(join(dir('ours'), 'link')), /belongs to/, 'where a link leads');
  t.equal(faultOfDir(dir('ours')), undefined);
  t.equal(faultOfDir(join(dir('sticky'), 'inner')), undefined, 'nobody can replace it there');
  t.throws(() => makePrivateDir(join(dir('theirs'), 'x')), { code: 'EPERM' });
  t.same(readdirSync(dir('theirs')), ['inner'], 'and nothing was made there');
  makePrivateDir(join(dir('ours'), 'a', 'b'));
  t.equal(statSync(join(dir('ours'), 'a', 'b')).mode & 0o777, 0o700);

  const file = join(dir('ours'), 'file');
  writeFileSync(file, 'x', { mode: 0o600 });
  t.equal(readTrusted(file), 'x');
  chmodSync(file, 0o602);
  t.throws(() => readTrusted(file), /everybody/);
  chmodSync(file, 0o600);
  chownSync(file, NOBODY, NOBODY);
  t.throws(() => readTrusted(file), /belongs to user 65534/);
});
