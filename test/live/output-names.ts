/** What `-w` may name besides a plain file: descriptors, links, files that cannot be replaced, what others planted. */
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  atExit,
  capinfos,
  capture,
  childrenOf,
  DPCAP,
  enginePid,
  type Finished,
  gone,
  requirements,
  run,
  start,
  startCapture,
  type Testpmd,
  underLoad,
} from '../harness/index.js';

const skip = requirements({ hugepagesMb: 256, tools: ['script', 'ln', 'mount'] });
const PACKETS = 50;
const NOBODY = 65534;

/** Runs `dpcap ... -w NAME` in a shell, which redirects as `redirections` says. */
function inShell(testpmd: Testpmd, name: string, redirections: string): Promise<Finished> {
  const words = ['--file-prefix', testpmd.prefix, '-i', '0', '-B', '16384', '-c', String(PACKETS), '-w', name];
  return start('sh', ['-c', `"$0" "$@" ${redirections}`, DPCAP, ...words]).wait();
}

const packetsIn = (file: string): number => Number(capinfos(file)['Number of packets']);

t.test('names of descriptors', { skip }, async (t) => {
  const testpmd = await underLoad(t);
  const file = join(t.testdir({}), 'x.pcap');
  const link = join(t.testdirName, 'link');
  symlinkSync('/dev/stdout', link);
  for (const [name, redirections] of [
    ['/dev/stdout', `>${file}`],
    ['/dev/stdout', `| cat >${file}`],
    ['/proc/self/fd/1', `>${file}`],
    ['/dev/fd/7', `7>${file}`],
    ['/dev/fd/7', `7>&1 >/dev/null | cat >${file}`],
    ['/dev/stderr', `2>${file} >/dev/null --stats none`],
    [link, `>${file}`],
    ['-', `| cat >${file}`],
  ] as const) {
    const { code, stderr } = await inShell(testpmd, name, redirections);
    const what = `-w ${name} ${redirections}`;
    if (name === '/dev/stderr') {
      t.equal(code, 2, what);
      t.match(readFileSync(file, 'utf8'), /standard error goes there, too/, 'messages would be among the packets');
    } else {
      t.equal(code, 0, `${what}: ${stderr}`);
      t.equal(packetsIn(file), PACKETS, what);
    }
    run('rm', [file]);
  }
  t.ok(existsSync(link), 'the link is still one');
  t.match(await inShell(testpmd, '/dev/fd/9', ''), {
    code: 1,
    stderr: /\/dev\/fd\/9: descriptor 9 is not open for writing.*EBADF\)\n +open it/,
  });
  t.match(await inShell(testpmd, '-', '>&-'), {
    code: 1,
    stderr: /cannot write -: descriptor 1 is not open for writing/,
  });
  t.match(await inShell(testpmd, '/dev/fd/9', `9<${DPCAP}`), { code: 1, stderr: /not open for writing/ });
});

t.test('names of descriptors, for pdump', { skip }, async (t) => {
  const testpmd = await underLoad(t);
  const file = join(t.testdir({}), 'x.pcap');
  const words = ['pdump', '--file-prefix', testpmd.prefix, '--pdump', 'port=0,queue=*,rx-dev=/dev/stdout', '-c', '50'];
  const { code, stderr } = await start('sh', ['-c', `"$0" "$@" >${file}`, DPCAP, ...words]).wait();
  t.equal(code, 0, stderr);
  t.equal(packetsIn(file), PACKETS);
  t.match(stderr, /PDUMP DEBUG STATS/, 'the closing lines are not among the packets');
});

t.test('terminals are refused', { skip }, async (t) => {
  const testpmd = await underLoad(t);
  for (const name of ['-', '/dev/stdout', '/dev/tty']) {
    const command = `${DPCAP} --file-prefix ${testpmd.prefix} -i 0 -c 1 -w ${name}`;
    const { code, stdout } = await start('script', ['-qec', command, '/dev/null']).wait();
    t.equal(code, 2, stdout);
    t.match(stdout, /terminal\s+pipe it/, name);
  }
});

t.test("the engine's standard descriptors stay what they are", { skip }, async (t) => {
  const testpmd = await underLoad(t);
  const words = ['--file-prefix', testpmd.prefix, '-i', '0', '-s', '64', '-w', '-'];
  const running = start('sh', ['-c', 'exec "$0" "$@" | exec cat >/dev/null', DPCAP, ...words]);
  await running.expect(/capturing on/);
  const [dpcap = 0] = childrenOf(running.pid);
  const engine = enginePid(dpcap);
  const fd = (n: number): string => run('readlink', [`/proc/${engine}/fd/${n}`]).trim();
  t.same([fd(0), fd(1)], ['/dev/null', '/dev/null'], 'a stray printf does not reach the packets');
  process.kill(dpcap, 'SIGINT');
  await running.wait();
  await gone(engine);
});

t.test('links, and files that are not replaced', { skip }, async (t) => {
  const testpmd = await underLoad(t);
  const dir = t.testdir({ real: { 'x.pcap': 'old' }, twin: 'old', mounted: 'old', source: 'old' });
  const args = ['-i', '0', '-c', String(PACKETS)];
  symlinkSync('real/x.pcap', join(dir, 'link'));
  t.equal((await capture(testpmd, [...args, '-w', join(dir, 'link')])).code, 0);
  t.equal(run('readlink', [join(dir, 'link')]).trim(), 'real/x.pcap', 'the link stays');
  t.equal(packetsIn(join(dir, 'real', 'x.pcap')), PACKETS, 'and its target has the packets');

  run('ln', [join(dir, 'twin'), join(dir, 'twin2')]);
  t.equal((await capture(testpmd, [...args, '-w', join(dir, 'twin')])).code, 0);
  t.equal(packetsIn(join(dir, 'twin2')), PACKETS, 'both names of a file show the packets');

  const mounted = join(dir, 'mounted');
  run('mount', ['--bind', join(dir, 'source'), mounted]);
  const unmount = (): void => {
    run('umount', ['-l', mounted]);
    forget();
  };
  const forget = atExit(unmount);
  t.teardown(unmount);
  const said = await start(DPCAP, ['--file-prefix', testpmd.prefix, '-B', '16384', ...args, '-w', mounted]).wait();
  t.match(said, { code: 0, stderr: /to .*mounted \(pcap, written in place, because it is mounted by itself\)/ });
  t.equal(packetsIn(join(dir, 'source')), PACKETS, 'a file that is a mount shows the packets');
  t.same(
    readdirSync(dir).filter((name) => name.endsWith('.partial')),
    [],
  );
});

t.test('a replaced file keeps its owner and mode', { skip }, async (t) => {
  const testpmd = await underLoad(t);
  const file = join(t.testdir({ 'x.pcap': 'old' }), 'x.pcap');
  chmodSync(file, 0o4600);
  chownSync(file, NOBODY, NOBODY);
  t.equal((await capture(testpmd, ['-i', '0', '-c', String(PACKETS), '-w', file])).code, 0);
  const { uid, gid, mode } = statSync(file);
  t.same({ uid, gid, mode: mode & 0o7777 }, { uid: NOBODY, gid: NOBODY, mode: 0o600 }, 'less the setuid bit');
  t.equal(packetsIn(file), PACKETS);
});

t.test('an unfinished file has a name that nobody can guess, and its packets are found', { skip }, async (t) => {
  const testpmd = await underLoad(t);
  const dir = t.testdir({});
  const file = join(dir, 'x.pcap');
  const running = startCapture(testpmd, ['-i', '0', '-s', '64', '-a', 'filesize:2000000', '-w', file]);
  await running.written(1);
  const [unfinished = ''] = readdirSync(dir);
  t.match(unfinished, new RegExp(`^x\\.pcap\\.${running.pid}-[0-9a-f]{12}\\.partial$`));
  mkdirSync(file); // nothing can have that name now
  const { code, messages, final } = await running.stop();
  t.equal(code, 1);
  t.match(messages, new RegExp(`cannot be given the name.*EISDIR[^]*the packets are in .*${unfinished}`));
  t.same(final?.files, [join(dir, unfinished)]);
  t.ok(packetsIn(join(dir, unfinished)) > 0);
});

t.test('who called sudo is told that the file is closed to him', { skip }, async (t) => {
  const testpmd = await underLoad(t);
  const file = join(t.testdir({}), 'x.pcap');
  const env = { SUDO_USER: 'nobody', SUDO_UID: String(NOBODY), SUDO_GID: String(NOBODY) };
  const words = ['--file-prefix', testpmd.prefix, '-B', '16384', '-i', '0', '-c', '1', '-w', file];
  const { code, stderr } = await start(DPCAP, words, { env }).wait();
  t.match(
    { code, stderr },
    { code: 0, stderr: `note: ${file} is closed to nobody; to open it: sudo chown nobody ${file}\n` },
  );
});

t.test('what a user planted in a directory for all is not written through', { skip }, async (t) => {
  const testpmd = await underLoad(t);
  const dir = t.testdir({ all: {}, victim: 'precious' });
  const all = join(dir, 'all');
  chmodSync(all, 0o1777);
  symlinkSync(join(dir, 'victim'), join(all, 'x.pcap'));
  lchownSync(join(all, 'x.pcap'), NOBODY, NOBODY);
  const { code, messages } = await capture(testpmd, ['-i', '0', '-c', '1', '-w', join(all, 'x.pcap')]);
  t.equal(code, 1);
  t.match(messages, /x\.pcap: another user may have put it there.*EACCES/);
  t.equal(readFileSync(join(dir, 'victim'), 'utf8'), 'precious');
  writeFileSync(join(all, 'mine.pcap'), 'old');
  t.equal((await capture(testpmd, ['-i', '0', '-c', '1', '-w', join(all, 'mine.pcap')])).code, 0);
});
