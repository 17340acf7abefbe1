/** Outputs that fail, and primaries that die, in mid-capture: what was written stays valid, and the loss is counted. */
import { existsSync, readdirSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { smallDisk, smallExt4 } from '../harness/disks.js';
import {
  balances,
  type Captured,
  capinfos,
  capture,
  DPCAP,
  isForwarding,
  isUnharmed,
  LiveCapture,
  remember,
  requirements,
  run,
  start,
  startCapture,
  startTestpmd,
  type Testpmd,
} from '../harness/index.js';

const skip = requirements({ hugepagesMb: 256 });
const PORTS = ['net_null0', 'net_null1'];

const freeBytes = (directory: string): number => {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize;
};

const sinkdrop = ({ final }: Captured): number => (final?.ports ?? []).reduce((sum, lane) => sum + lane.sinkdrop, 0);

/** Full disks: one in memory, and one that packets reach past the page cache. */
const DISKS: [name: string, tools: string[], mount: (t: Test) => string][] = [
  ['tmpfs', [], (t) => smallDisk(t, 3000)],
  ['ext4', ['mkfs.ext4'], (t) => smallExt4(t, 12_000)],
];

for (const [kind, tools, mount] of DISKS) {
  t.test(`a disk that becomes full: ${kind}`, { skip: requirements({ hugepagesMb: 256, tools }) }, async (t) => {
    const testpmd = await startTestpmd({ vdevs: PORTS });
    t.teardown(() => testpmd.stop());
    await testpmd.command('start');
    const before = await remember(testpmd);
    const disk = mount(t);
    const found = readdirSync(disk);
    const room = freeBytes(disk);

    for (const [name, args] of [
      ['x.pcap', ['-i', '0']],
      ['x.pcapng', ['-i', '0']],
      ['merged.pcap', ['-i', 'any', '--threads', '2']],
    ] as const) {
      const file = join(disk, name);
      const captured = await capture(testpmd, [...args, '-w', file]);
      balances(t, captured, 1);
      t.match(captured.messages, /ended early: cannot write to .*ENOSPC.*\n.*make room/s);
      t.match(captured.messages, file, `${name}: names the file`);
      t.match(captured.final, { stop_reason: 'sink failed', files: [file] });
      t.ok(sinkdrop(captured) > 0, `${name}: ${sinkdrop(captured)} lost packets are counted`);
      const { 'File size (bytes)': size, 'Number of packets': packets, 'Data size (bytes)': bytes } = capinfos(file);
      t.equal(captured.final?.bytes, Number(bytes), `${name}: bytes are those in the file`);
      t.ok(Number(size) > 0.9 * room && Number(packets) > 20_000, `${name}: what fitted is there, ${packets} packets`);
      t.same(readdirSync(disk).sort(), [...found, name].sort(), `${name}: and nothing unfinished`);
      run('rm', [file]);
    }

    run('fallocate', ['-l', String(freeBytes(disk)), join(disk, 'filler')]);
    const none = await capture(testpmd, ['-i', '0', '-w', join(disk, 'x.pcap')]);
    t.match(none, { code: 1, messages: /ENOSPC/ }, 'full from the start');
    t.notOk(existsSync(join(disk, 'x.pcap')), 'a file without even a header is not left as a finished one');
    await isUnharmed(t, testpmd, before, 'full disk');
    await isForwarding(t, testpmd, 'full disk');
  });
}

t.test('a limit to the size of files', { skip }, async (t) => {
  const testpmd = await startTestpmd({ vdevs: PORTS });
  t.teardown(() => testpmd.stop());
  await testpmd.command('start');
  for (const args of [
    ['-i', '0'],
    ['-i', 'any', '--threads', '2'],
  ]) {
    const file = join(t.testdir(), 'x.pcap');
    const words = ['--file-prefix', testpmd.prefix, '-B', '16384', '--stats', 'ndjson', ...args, '-w', file];
    const limited = start('sh', ['-c', 'ulimit -f 2000; exec "$0" "$@"', DPCAP, ...words]);
    const captured = await new LiveCapture(limited).ended();
    balances(t, captured, 1);
    t.match(captured.messages, /cannot write to .*x\.pcap.*EFBIG/);
    t.ok((captured.final?.bytes ?? 0) > 500_000);
  }
});

/** What ends the primary, and whether it was busy. */
const DEATHS: [name: string, busy: boolean, file: string, die: (testpmd: Testpmd) => Promise<unknown>][] = [
  ['killed at full load', true, 'x.pcap', (testpmd) => testpmd.kill('SIGKILL', { keepFiles: true })],
  ['killed at full load', true, 'x.pcapng', (testpmd) => testpmd.kill('SIGKILL', { keepFiles: true })],
  ['killed while idle', false, 'x.pcap', (testpmd) => testpmd.kill('SIGKILL', { keepFiles: true })],
  ['quits in order', true, 'x.pcap', (testpmd) => testpmd.stop()],
];

for (const [name, busy, file, die] of DEATHS) {
  t.test(`the primary ${name}: ${file}`, { skip }, async (t) => {
    const testpmd = await startTestpmd({ vdevs: PORTS });
    t.teardown(() => testpmd.stop());
    if (busy) await testpmd.command('start');
    const path = join(t.testdir(), file);
    const running = startCapture(testpmd, ['-i', '0', '-s', '64', '-a', 'filesize:2000000', '-w', path]);
    await (busy ? running.written(1) : running.started());
    const dead = die(testpmd).then(() => Date.now());
    const captured = await running.ended();
    const tookMs = Date.now() - (await dead);
    t.ok(tookMs < 2000, `it ended ${tookMs} ms after the primary`);
    balances(t, captured, 1);
    t.match(captured.messages, /ended early: the primary process exited/);
    t.equal(captured.final?.stop_reason, 'primary gone');
    const packets = Number(capinfos(path)['Number of packets']);
    t.ok(busy ? packets > 0 : packets === 0, `the file is finished, with ${packets} packets`);
  });
}
