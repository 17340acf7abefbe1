import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  closeSync,
  lchownSync,
  openSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { UsageError } from '../../src/errors.js';
import { outputTarget } from '../../src/sinks/file-target.js';

const TARGET = new URL('../../src/sinks/file-target.js', import.meta.url).href;
const NOBODY = 65534;
const asRoot = { skip: process.getuid?.() === 0 ? false : 'must run as root' };

/** A regular file, open for reading and writing until the test ends. */
function openFile(t: Test, flags = 'w'): number {
  const path = join(t.testdir({ file: '' }), 'file');
  const fd = openSync(path, flags);
  t.teardown(() => closeSync(fd));
  return fd;
}

t.test('a name of a descriptor is the descriptor, however it is written', async (t) => {
  const fd = openFile(t);
  const link = join(t.testdirName, 'link');
  symlinkSync(`/dev/fd/${fd}`, link);
  symlinkSync('link', `${link}2`);
  symlinkSync('/dev', `${link}dev`);
  const names = [`/dev/fd/${fd}`, `/proc/self/fd/${fd}`, `/proc/thread-self/fd/${fd}`, `/proc/${process.pid}/fd/${fd}`];
  for (const name of [...names, link, `${link}2`, `${link}dev/fd/${fd}`, `/dev/../dev/fd/${fd}`]) {
    t.match(outputTarget(name), { to: { kind: 'fd', fd: 4, name }, inherits: fd }, name);
  }
});

t.test('a descriptor that cannot be written is refused', async (t) => {
  const fd = openFile(t, 'r');
  t.throws(() => outputTarget(`/dev/fd/${fd}`), { code: 'ERR_SINK_OPEN', message: /not open for writing/ });
  t.throws(() => outputTarget('/proc/self/fd/999'), { code: 'ERR_SINK_OPEN', errno: 'EBADF' });
});

t.test('a file that is followed has a name that can be known, and the start line says it', async (t) => {
  const path = join(t.testdir(), 'x.pcap');
  const owner = { uid: NOBODY, gid: NOBODY };
  t.same(outputTarget(path, { isFollowed: true, owner }), {
    to: { kind: 'file', path, unfinished: `${path}.partial`, owner },
    note: `as ${path}.partial until it is complete`,
  });
});

t.test('a file is replaced when it is complete', async (t) => {
  const path = join(t.testdir({ old: '' }), 'old');
  for (const name of [path, `${path}-new`]) {
    const { to, note } = outputTarget(name);
    t.match(to, { kind: 'file', path: name });
    t.match('unfinished' in to && to.unfinished, new RegExp(`^${name}\\.${process.pid}-[0-9a-f]{12}\\.partial$`));
    t.equal(note, undefined);
  }
  t.not(
    (outputTarget(path).to as { unfinished: string }).unfinished,
    (outputTarget(path).to as { unfinished: string }).unfinished,
  );
});

t.test('whose a replaced file is, is kept, unless somebody may have put it there for that', asRoot, async (t) => {
  const dir = t.testdir({ own: { file: '' }, all: { file: '', mine: '' } });
  const replaced = (name: string): unknown => (outputTarget(join(dir, name)).to as { replaced?: unknown }).replaced;
  for (const name of ['own/file', 'all/file', 'all/mine']) chmodSync(join(dir, name), 0o4620);
  for (const name of ['own/file', 'all/file']) chownSync(join(dir, name), NOBODY, NOBODY);
  chmodSync(join(dir, 'all'), 0o1777);
  t.same(replaced('own/file'), { uid: NOBODY, gid: NOBODY, mode: 0o620 }, 'without the setuid bit');
  t.same(replaced('all/file'), undefined);
  t.match(replaced('all/mine'), { uid: 0 });
  t.same(replaced('own/absent'), undefined);
});

t.test('the target of a link is written, and the link stays', async (t) => {
  const dir = t.testdir({ real: { 'x.pcap': 'old' } });
  symlinkSync('real', join(dir, 'dir'));
  symlinkSync('../absent', join(dir, 'real', 'dangling'));
  symlinkSync(join(dir, 'dir', 'x.pcap'), join(dir, 'link'));
  symlinkSync('link', join(dir, 'link2'));
  const written = (name: string): string => (outputTarget(join(dir, name)).to as { path: string }).path;
  t.equal(realpathSync(written('link2')), join(dir, 'real', 'x.pcap'));
  t.equal(written('dir/dangling'), `${dir}/dir/../absent`);
  symlinkSync('loop', join(dir, 'loop'));
  t.throws(() => written('loop'), { code: 'ERR_SINK_OPEN', errno: 'ELOOP' });
});

t.test('a file with another name is written in place', async (t) => {
  const path = join(t.testdir({ a: '' }), 'a');
  execFileSync('ln', [path, `${path}-twin`]);
  t.match(outputTarget(path), { to: { kind: 'file', path, unfinished: undefined }, note: /in place.*hard links/ });
});

t.test('so is one that is a mount, whatever the file system', asRoot, async (t) => {
  const dir = t.testdir({ mounted: '', source: '' });
  const [mounted, source] = [join(dir, 'mounted'), join(dir, 'source')];
  // In a namespace of its own, whose mounts go with it.
  const code = `import { outputTarget } from ${JSON.stringify(TARGET)}; console.log(JSON.stringify(outputTarget(${JSON.stringify(mounted)})))`;
  const script = 'mount --bind "$1" "$2" && exec "$0" --input-type=module -e "$3"';
  const words = ['--mount', 'sh', '-c', script, process.execPath, source, mounted, code];
  const { to, note } = JSON.parse(execFileSync('unshare', words, { encoding: 'utf8' }));
  t.match({ to, note }, { to: { kind: 'file', path: mounted, unfinished: undefined }, note: /mounted by itself/ });
});

t.test('what another process has open', async (t) => {
  const dir = t.testdir({ file: '' });
  const child = spawn('sleep', ['100'], { stdio: ['pipe', openSync(join(dir, 'file'), 'w'), 'ignore'] });
  t.teardown(() => child.kill());
  await once(child, 'spawn');
  const link = (fd: number): string => `/proc/${child.pid}/fd/${fd}`;
  t.match(outputTarget(link(1)), { to: { kind: 'file', path: join(dir, 'file') } }, 'a file is the file');
  t.same(outputTarget(link(2)), { to: { kind: 'device', path: link(2) } });
});

t.test('pipes and devices are written as they are', async (t) => {
  const fifo = join(t.testdir({}), 'fifo');
  execFileSync('mkfifo', [fifo]);
  for (const path of [fifo, '/dev/null']) t.same(outputTarget(path), { to: { kind: 'device', path } });
  t.throws(() => outputTarget(t.testdirName), UsageError);
});

t.test('nothing that somebody else put there is written through', asRoot, async (t) => {
  const dir = t.testdir({ mine: { secret: 'precious' }, all: {} });
  const all = join(dir, 'all');
  chmodSync(all, 0o1777);
  symlinkSync(join(dir, 'mine', 'secret'), join(all, 'link'));
  lchownSync(join(all, 'link'), NOBODY, NOBODY);
  execFileSync('mkfifo', [join(all, 'fifo')]);
  writeFileSync(join(all, 'file'), '');
  for (const name of ['fifo', 'file']) chownSync(join(all, name), NOBODY, NOBODY);
  execFileSync('ln', [join(all, 'file'), join(all, 'twin')]);
  for (const name of ['link', 'fifo', 'file', 'twin']) {
    t.throws(() => outputTarget(join(all, name)), { code: 'ERR_SINK_OPEN', errno: 'EACCES' }, name);
  }
  chmodSync(all, 0o755);
  t.throws(() => outputTarget(join(all, 'link')), { code: 'ERR_SINK_OPEN', errno: 'EACCES' }, 'nor elsewhere by root');
  process.env.SUDO_UID = String(NOBODY);
  t.teardown(() => delete process.env.SUDO_UID);
  t.match(outputTarget(join(all, 'link')), { to: { path: join(dir, 'mine', 'secret') } }, 'unless he called sudo');
  symlinkSync(join(dir, 'mine', 'secret'), join(all, 'own'));
  t.match(
    outputTarget(join(all, 'own')),
    { to: { path: join(dir, 'mine', 'secret') } },
    'our own link leads where it says',
  );
});
