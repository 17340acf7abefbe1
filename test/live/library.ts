/** dpcap as a library: from a packed tarball, as others install it. */
import { spawnSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { capture, DpcapError, listPrimaries, UsageError } from '../../src/index.js';
import { projectFile } from '../../src/system/location.js';
import { capinfos, requirements, run, startTestpmd, type Testpmd } from '../harness/index.js';

const skip = requirements({ hugepagesMb: 256 });
const missingNpm = spawnSync('npm', ['--version']).error !== undefined && 'npm is not installed';
const SMALL = { bufferBytes: 16 * 1024 * 1024, snaplen: 64, statsIntervalMs: 100 };

async function forwarding(t: Test): Promise<Testpmd> {
  const testpmd = await startTestpmd({ vdevs: ['net_null0', 'net_null1'] });
  t.teardown(() => testpmd.stop());
  await testpmd.command('start');
  return testpmd;
}

t.test('the example, with the tarball', { skip: skip || missingNpm }, async (t) => {
  const testpmd = await forwarding(t);
  const folder = t.testdir({ node_modules: {} });
  const modules = join(folder, 'node_modules');
  run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder, projectFile('')]);
  run('sh', ['-c', `tar -xzf "${folder}"/dpcap-*.tgz -C "${folder}" && mv "${folder}/package" "${modules}/dpcap"`]);
  // What scripts/package.sh puts there: addons for all releases. Here it is the one of this machine.
  cpSync(projectFile('build/Release'), join(modules, `dpcap/prebuilds/linux-${process.arch}`), { recursive: true });
  const { dependencies } = JSON.parse(readFileSync(projectFile('package.json'), 'utf8'));
  for (const name of Object.keys(dependencies)) symlinkSync(projectFile(`node_modules/${name}`), join(modules, name));
  cpSync(projectFile('examples'), join(folder, 'examples'), { recursive: true });
  const talkers = run('node', [join(folder, 'examples/packets.mjs'), testpmd.prefix, 'net_null0', '300'], {
    timeoutMs: 30_000,
  });
  t.match(talkers, /^\d+ packets, \d+ bytes: [0-9a-f:]{17} > [0-9a-f:]{17}$/m);
  t.match(talkers, /^300 packets seen, \d+ lost$/m);
  const file = join(folder, 'x.pcapng');
  const said = run('node', [join(folder, 'examples/capture.mjs'), testpmd.prefix, 'net_null0', file], {
    timeoutMs: 30_000,
  });
  t.match(said, new RegExp(`${testpmd.prefix}: can be captured: yes`));
  t.match(said, /capturing from dpdk-testpmd/);
  t.match(said, /s: \d+ packets/);
  const packets = Number(/(\d+) packets in .* \(stopped\)/.exec(said)?.[1]);
  t.ok(packets > 0);
  t.equal(Number(capinfos(file)['Number of packets']), packets);
});

t.test('values in, values out', { skip }, async (t) => {
  const testpmd = await forwarding(t);
  const found = await listPrimaries();
  t.ok(found.some(({ primary, capturability }) => primary.pid === testpmd.pid && capturability.verdict === 'yes'));
  const file = join(t.testdir(), 'x.pcap');
  const exact = capture({ ...SMALL, filePrefix: testpmd.prefix, ports: ['0'], to: { file }, packetLimit: 1234 });
  t.match(await exact.started, { output: file, ports: [{ id: 0 }] });
  t.match(await exact.done, { reason: 'packets', stats: { packets: 1234, final: true }, file, error: undefined });
  t.equal(Number(capinfos(file)['Number of packets']), 1234);

  const stopped = capture({ ...SMALL, filePrefix: testpmd.prefix, ports: ['any'], to: { file: '/dev/null' } });
  let records = 0;
  for await (const record of stopped.stats) {
    if (++records === 3) stopped.stop();
    t.ok(record.final || records <= 4, 'soon the last one');
  }
  t.match(await stopped.done, { reason: 'stopped', file: undefined, error: undefined });
});

t.test('what happens meanwhile is told', { skip }, async (t) => {
  const testpmd = await forwarding(t);
  const notices: string[] = [];
  const huge = capture({
    filePrefix: testpmd.prefix,
    to: { file: '/dev/null' },
    packetLimit: 10,
    bufferBytes: 2 ** 36,
    onNotice: (text) => notices.push(text),
  });
  t.match(await huge.done, { reason: 'packets' });
  t.match(notices, [/^room for \d+ copies instead of \d+/]);
});

t.test('two at once', { skip }, async (t) => {
  const testpmd = await forwarding(t);
  const both = ['0', '1'].map((port) =>
    capture({ ...SMALL, filePrefix: testpmd.prefix, ports: [port], to: { file: '/dev/null' }, packetLimit: 100_000 }),
  );
  for (const { done } of both) t.match(await done, { reason: 'packets', stats: { packets: 100_000 } });
});

t.test('packets come to the program, and it ends the capture by leaving', { skip }, async (t) => {
  const testpmd = await forwarding(t);
  const few = capture({ ...SMALL, filePrefix: testpmd.prefix, ports: ['any'], packets: true, packetLimit: 500 });
  let count = 0;
  let latest = 0n;
  let odd = 0;
  for await (const batch of few.packets) {
    for (const { time, interface: name, direction, length, bytes } of batch) {
      count++;
      const isSound = /^net_null[01]$/.test(name) && /^[rt]x$/.test(direction) && length === 64 && bytes.length === 64;
      if (time < latest || !isSound) odd++;
      latest = time;
    }
  }
  t.match(await few.done, { reason: 'packets', stats: { packets: count }, file: undefined, error: undefined });
  t.same({ count, odd }, { count: 500, odd: 0 });

  const many = capture({ ...SMALL, filePrefix: testpmd.prefix, ports: ['any'], packets: { memoryBytes: 2 ** 20 } });
  let taken = 0;
  for await (const batch of many.packets) {
    taken += batch.length;
    await delay(20); // the program has other things to do, and its peer sends millions of packets a second
    if (taken > 20_000) break;
  }
  const { reason, stats } = await many.done;
  t.equal(reason, 'stopped');
  t.equal(stats?.packets, taken, 'what is counted as written came to the loop');
  const lost = stats?.ports.reduce((all, { sinkdrop }) => all + sinkdrop, 0) ?? 0;
  t.ok(lost > 0, `${lost} packets for which there was no room are counted`);
  for (const { accepted, written, ringfull, sinkdrop, surplus } of stats?.ports ?? [])
    t.equal(accepted, written + ringfull + sinkdrop + surplus);
});

t.test('a ring of compressed files, until it is aborted', { skip }, async (t) => {
  const testpmd = await forwarding(t);
  const folder = t.testdir();
  const [to, comments] = [{ file: join(folder, 'x.pcapng.gz') }, ['by a program']];
  const from = { ...SMALL, filePrefix: testpmd.prefix, ports: ['0'], to, comments, minFreeBytes: 1 };
  const aborter = new AbortController();
  const ring = capture({ ...from, rotation: { packets: 20_000, ring: 3 }, signal: aborter.signal });
  for await (const { file_count: files = 0 } of ring.stats) if (files > 5) aborter.abort();
  const { reason, stats, file = '' } = await ring.done;
  t.equal(reason, 'stopped');
  t.ok((stats?.file_count ?? 0) > 5);
  const names = readdirSync(folder);
  t.equal(names.length, 3, names.join());
  t.equal(stats?.files.at(-1), file);
  t.equal(names.sort().at(-1), basename(file));
  t.ok(gunzipSync(readFileSync(file)).includes('by a program'));
  const aborted = capture({ ...from, signal: AbortSignal.abort(new Error('not today')) });
  await t.rejects(aborted.done, { message: 'not today' });
});

t.test('errors have codes', { skip }, async (t) => {
  const to = { file: '/dev/null' };
  const absent = capture({ filePrefix: 'dpcap-nonesuch', to });
  await t.rejects(absent.started, { code: 'ERR_PRIMARY_ABSENT' });
  await t.rejects(absent.done, DpcapError);
  const usage = { code: 'ERR_USAGE', subject: 'packets', message: /they go elsewhere/ };
  await t.rejects(absent.packets[Symbol.asyncIterator]().next(), usage);
  await t.rejects(capture({ to, snaplen: 0 }).done, { code: 'ERR_USAGE', subject: 'snaplen' });
  await t.rejects(capture({ to, filter: 'tcp prot 80' }).done, { code: 'ERR_FILTER_SYNTAX' });
  await t.rejects(capture({ to, snapLen: 60 } as never).done, UsageError);
  await t.rejects(capture({ to: { tunnel: 'vxlan://x?vni=1' } }).done, {
    code: 'ERR_USAGE',
    message: /^to\.tunnel vxlan/,
  });
  const limited = { to: { tunnel: 'vxlan://192.0.2.9?vni=1' }, byteLimit: 5 };
  await t.rejects(capture(limited).done, { code: 'ERR_USAGE', subject: 'byteLimit' });
  await t.rejects(capture({ to: { fd: 999 } }).done, { code: 'ERR_SINK_OPEN', errno: 'EBADF' });
  const testpmd = await forwarding(t);
  const unknown = capture({ filePrefix: testpmd.prefix, ports: ['7'], to });
  await t.rejects(unknown.done, { code: 'ERR_PORT_UNKNOWN', exitCode: 2 });
  for await (const _ of unknown.stats) t.fail('no record');
});
