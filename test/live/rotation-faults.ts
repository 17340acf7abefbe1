/** Files that follow one another where something is in the way: full disks, a directory that goes, a kill. */
import { rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { smallDisk } from '../harness/disks.js';
import {
  atExit,
  balances,
  capinfos,
  capture,
  enginePid,
  gone,
  isForwarding,
  requirements,
  run,
  runDpcap,
  startCapture,
  startTestpmd,
  underLoad,
} from '../harness/index.js';
import { filesIn } from '../helpers/folder.js';
import { ownDir } from '../helpers/own-dir.js';

const skip = requirements({ hugepagesMb: 256 });

// A journal of this test's own, which another recover on this machine does not clear.
process.env.XDG_STATE_HOME = ownDir(t);

t.test('the directory is taken away: the capture ends, and the reason is told', { skip }, async (t) => {
  const testpmd = await startTestpmd({ vdevs: ['net_null0'] });
  t.teardown(() => testpmd.stop());
  const folder = join(t.testdir({ out: {} }), 'out');
  const running = startCapture(testpmd, ['-i', '0', '-b', 'packets:1000', '-w', join(folder, 'x.pcap')]);
  await running.started();
  rmSync(folder, { recursive: true });
  await testpmd.command('start');
  const captured = await running.ended();
  balances(t, captured, 1);
  t.match(captured.messages, /x_00001_\d+\.pcap was not written.*ENOENT/);
  await isForwarding(t, testpmd, 'afterwards');
});

/** Packets in all files of a folder, of which each is read. */
function packetsOf(folder: string): number {
  return filesIn(folder).reduce((sum, path) => sum + Number(capinfos(path)['Number of packets']), 0);
}

const SIZED = ['-i', '0', '-s', '64', '-b', 'filesize:400'];

t.test('a disk becomes full', { skip }, async (t) => {
  const testpmd = await underLoad(t, { vdevs: ['net_null0'] });
  const disk = smallDisk(t, 3000);
  const captured = await capture(testpmd, [...SIZED, '-w', join(disk, 'x.pcapng')]);
  balances(t, captured, 1);
  t.match(captured, { final: { stop_reason: 'sink failed' }, messages: /ENOSPC/ });
  t.ok(filesIn(disk).length > 3, `${filesIn(disk).length} files`);
  t.equal(packetsOf(disk), captured.final?.packets, 'each is valid, and together they have all');
});

t.test('--min-free: what is no ring ends in order before the disk is full', { skip }, async (t) => {
  const testpmd = await underLoad(t, { vdevs: ['net_null0'] });
  const disk = smallDisk(t, 300_000);
  for (const [name, words] of [
    ['x.pcap', ['-i', '0', '-s', '64']],
    ['x.pcapng', SIZED],
  ] as const) {
    const all = [...words, 'less 128', '--min-free', '290M', '-w', join(disk, name)];
    const captured = await capture(testpmd, all);
    balances(t, captured);
    t.equal(captured.final?.stop_reason, 'disk space');
    t.equal(packetsOf(disk), captured.final?.packets);
    for (const path of filesIn(disk)) rmSync(path);
  }
});

t.test('--min-free: the disk is that of the file, and what has none is refused', { skip }, async (t) => {
  const testpmd = await underLoad(t, { vdevs: ['net_null0'] });
  const disk = smallDisk(t, 300_000);
  const mounted = join(dirname(disk), 'mounted');
  for (const path of [mounted, join(disk, 'x.pcap')]) writeFileSync(path, '');
  run('mount', ['--bind', join(disk, 'x.pcap'), mounted]);
  const unmount = (): void => {
    run('umount', ['-l', mounted]);
    forget();
  };
  const forget = atExit(unmount);
  t.teardown(unmount);
  const words = ['-i', '0', '-s', '64', '--min-free', '290M'];
  const captured = await capture(testpmd, [...words, '-w', mounted]);
  t.match(captured.final, { stop_reason: 'disk space' }, 'its directory is on another disk, with more room');
  const { code, stderr } = await runDpcap(['--file-prefix', testpmd.prefix, ...words, '-c', '1', '-w', '/dev/stdout']);
  t.match({ code, stderr }, { code: 2, stderr: /--min-free is about the disk of a file, and standard output is none/ });
});

t.test('--min-free: a ring gives up its oldest files', { skip }, async (t) => {
  const testpmd = await underLoad(t, { vdevs: ['net_null0'] });
  const disk = smallDisk(t, 60_000);
  const words = [...SIZED, '-b', 'files:140', '--min-free', '30M', '-a', 'files:150'];
  const captured = await capture(testpmd, [...words, '-w', join(disk, 'x.pcapng')], 60_000);
  balances(t, captured);
  t.match(captured.final, { stop_reason: 'files', file_count: 150 });
  t.ok(filesIn(disk).length < 140, `${filesIn(disk).length} are left`);
});

t.test('what a kill leaves is named by recover', { skip }, async (t) => {
  const testpmd = await startTestpmd({ vdevs: ['net_null0'] });
  t.teardown(() => testpmd.stop());
  const folder = t.testdir();
  const running = startCapture(testpmd, ['-i', '0', '-b', 'packets:1000000', '-w', join(folder, 'x.pcap')]);
  await running.started();
  const engine = enginePid(running.pid);
  process.kill(running.pid, 'SIGKILL');
  process.kill(engine, 'SIGKILL');
  await gone(engine);
  const left = filesIn(folder);
  t.ok(left.length > 0 && left.every((path) => /x\.pcap\.\d+-[0-9a-f]{12}\.partial$/.test(path)));
  const { stdout, code } = await runDpcap(['recover', '--file-prefix', testpmd.prefix]);
  t.equal(code, 0, stdout);
  for (const path of left) t.match(stdout, `${path} (`, 'it is named');
  t.same(filesIn(folder), left, 'and stays');
});
