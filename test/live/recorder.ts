/** The flight recorder: the newest packets, while the application lives and after each way to die. */
import { chownSync, copyFileSync, existsSync, rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { startWithAgent } from '../harness/agent.js';
import {
  capinfos,
  isForwarding,
  leftovers,
  readPcap,
  requirements,
  runDpcap,
  type Testpmd,
  type TestpmdOptions,
  tsharkFields,
  uniqueName,
  writePcap,
} from '../harness/index.js';
import { MemoryCgroup, noMemoryCgroup } from '../harness/memory-cgroup.js';
import { boxesOf, recorderEnvironment, removeBoxesAfter, type ToldBox } from '../harness/recorder.js';

const skip = requirements({ hugepagesMb: 0 });
const NULLS = { vdevs: ['net_null0', 'net_null1'], eal: ['--no-huge'] };

/** A primary at full load whose boxes are removed after the test. */
async function loaded(t: Test, options: Partial<TestpmdOptions> = {}): Promise<Testpmd> {
  const prefix = options.prefix ?? uniqueName();
  removeBoxesAfter(t, prefix);
  const testpmd = await startWithAgent('LD_PRELOAD', { ...NULLS, ...options, prefix });
  t.teardown(() => testpmd.stop());
  await testpmd.command('start');
  return testpmd;
}

function recorder(testpmd: Pick<Testpmd, 'prefix'>, verb: string, ...words: string[]): ReturnType<typeof runDpcap> {
  return runDpcap(['recorder', verb, '--file-prefix', testpmd.prefix, ...words]);
}

/** Checks that a file is what tools of the field read, and in the order of time. Returns the number of its packets. */
function soundPackets(t: Test, file: string): number {
  t.equal(capinfos(file)['Strict time order'], 'True', 'times ascend');
  return tsharkFields(file, ['frame.len']).length;
}

/** The time of a file's last packet. */
function lastNs(file: string): bigint {
  const [seconds = '', fraction = ''] = (tsharkFields(file, ['frame.time_epoch']).at(-1)?.[0] ?? '').split('.');
  return BigInt(seconds) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0'));
}

/** Waits until the recorder of an application has so many packets. */
function recorded(prefix: string, packets: number): Promise<ToldBox> {
  return boxWith(prefix, (box) => box.recording && box.packets >= packets);
}

async function boxWith(prefix: string, isReady: (box: ToldBox) => boolean): Promise<ToldBox> {
  for (const deadline = Date.now() + 20_000; ; ) {
    const boxes = await boxesOf(prefix);
    const ready = boxes.find(isReady);
    if (ready) return ready;
    if (Date.now() > deadline) throw new Error(`no recorder is as it should be: ${JSON.stringify(boxes)}`);
    await delay(50);
  }
}

t.test('on, saved while it goes on, off', { skip }, async (t) => {
  const testpmd = await loaded(t);
  t.match(await recorder(testpmd, 'on', '--memory', '8M', '-s', '64'), { code: 0, stderr: /records all packets/ });
  await recorded(testpmd.prefix, 50_000);
  for (const name of ['first.pcapng', 'second.pcap', 'third.pcapng.gz']) {
    const file = join(t.testdir(), name);
    const { code, stderr } = await recorder(testpmd, 'save', '-w', file);
    t.match({ code, stderr }, { code: 0, stderr: /saved \d+ packets/ });
    t.equal(String(soundPackets(t, file)), /saved (\d+) packets/.exec(stderr)?.[1]);
  }
  const again = await recorder(testpmd, 'on');
  t.match(again, { code: 1, stderr: /has a recorder that is on \(EALREADY\)/ });
  t.match(await recorder(testpmd, 'save', '-w', '/dev/full'), { code: 1, stderr: /ENOSPC/ });
  const [box] = await boxesOf(testpmd.prefix);
  t.match(box, { recording: true, pid: testpmd.pid, snaplen: 64, filter: '' });
  t.match(await runDpcap(['agent', 'check', String(testpmd.pid)]), { stdout: / on +answers$/m });
  t.same(box?.lanes.map(({ device, direction }) => `${device} ${direction}`).sort(), [
    ...['net_null0 rx', 'net_null0 tx', 'net_null1 rx', 'net_null1 tx'],
  ]);
  t.match(await runDpcap(['recover', '--box', box?.path ?? '']), { code: 1, stderr: /which lives and records/ });
  t.match(await recorder(testpmd, 'off'), { code: 0, stderr: /its black box is gone/ });
  t.notOk(existsSync(box?.path ?? ''));
  t.match(await recorder(testpmd, 'off'), { code: 1, stderr: /no recorder is on there/ });
  t.match(await recorder(testpmd, 'save', '-w', '/dev/null'), { code: 1, stderr: /there is no recorder/ });
  await isForwarding(t, testpmd, 'afterwards');
});

t.test('more queues than its memory has parts for', { skip }, async (t) => {
  const testpmd = await loaded(t, { args: ['--rxq=8', '--txq=8'] });
  const on = await recorder(testpmd, 'on', '--memory', '4M');
  t.match(on, { code: 0, stderr: /32 queues and directions share 8 parts of memory.*packets of 24 are not recorded/ });
  await boxWith(testpmd.prefix, ({ lanes }) => lanes.some(({ ringfull }) => ringfull > 0));
  const saved = await recorder(testpmd, 'save', '-w', '/dev/null');
  t.match(saved, { code: 0, stderr: /since it was switched on, \d+ packets were not recorded: there are more queues/ });
  t.match(await recorder(testpmd, 'status'), { stdout: /\d+ packets were not recorded: there are more queues/ });
  t.match(await recorder(testpmd, 'off'), { code: 0 });
});

t.test('every packet that the filter selects, byte for byte', { skip }, async (t) => {
  const folder = t.testdir();
  const frames = Array.from({ length: 300 }, (_, index) => {
    const frame = Buffer.alloc(60 + ((index * 37) % 1400), index);
    frame.writeUInt16BE(index % 3 === 0 ? 0x88b5 : 0x88b6, 12);
    return frame;
  });
  const wanted = frames.filter((_, index) => index % 3 === 0);
  const input = join(folder, 'in.pcap');
  writePcap(input, frames);
  const prefix = uniqueName();
  removeBoxesAfter(t, prefix);
  const env = await recorderEnvironment(['--memory', '8M', '-Q', 'rx', 'ether proto 0x88b5']);
  const vdevs = [`net_pcap0,rx_pcap=${input},tx_pcap=${join(folder, 'out.pcap')}`];
  const testpmd = await startWithAgent('LD_PRELOAD', { prefix, env, vdevs, eal: ['--no-huge'], memoryMb: 256 });
  t.teardown(() => testpmd.stop());
  await boxWith(prefix, ({ lanes }) => lanes.length > 0); // it looks for ports ten times a second
  await testpmd.command('start');
  await recorded(prefix, wanted.length);
  const file = join(folder, 'saved.pcap');
  t.match(await recorder(testpmd, 'save', '-w', file), { code: 0 });
  t.same(
    readPcap(file).packets.map(({ data }) => Buffer.from(data).toString('hex')),
    wanted.map((frame) => frame.toString('hex')),
  );
  t.match(await boxesOf(prefix), [{ filter: 'ether proto 0x88b5' }]);
});

const DEATHS: [name: string, die: (testpmd: Testpmd) => Promise<unknown>][] = [
  ['kill -9', (testpmd) => testpmd.kill('SIGKILL', { keepFiles: true })],
  ['SIGSEGV', (testpmd) => testpmd.kill('SIGSEGV', { keepFiles: true })],
  ['abort()', (testpmd) => testpmd.kill('SIGABRT', { keepFiles: true })],
  ['exit()', (testpmd) => testpmd.stop({ keepFiles: true })],
];

for (const [name, die] of DEATHS) {
  t.test(`the last packets before ${name}`, { skip }, async (t) => {
    const env = await recorderEnvironment(['--memory', '8M', '-s', '64']);
    await keepsTheLastPackets(t, await loaded(t, { env }), die);
  });
}

t.test('the last packets before the kernel wants its memory', { skip: skip || noMemoryCgroup }, async (t) => {
  const cgroup = new MemoryCgroup();
  t.teardown(() => cgroup.remove());
  const env = await recorderEnvironment(['--memory', '8M', '-s', '64']);
  const testpmd = await loaded(t, { env, within: cgroup.within });
  await keepsTheLastPackets(t, testpmd, async ({ exited }) => {
    cgroup.exhaust();
    t.match(await exited, { signal: 'SIGKILL' });
  });
});

async function keepsTheLastPackets(
  t: Test,
  testpmd: Testpmd,
  die: (testpmd: Testpmd) => Promise<unknown>,
): Promise<void> {
  const { prefix, pid } = testpmd;
  const { last_ns: first } = await recorded(prefix, 50_000);
  await boxWith(prefix, (box) => BigInt(box.last_ns) > BigInt(first)); // it goes on
  await die(testpmd);
  const [box] = await boxesOf(prefix);
  t.match(box, { recording: false, pid });
  const file = join(t.testdir(), 'last.pcapng');
  const saved = await runDpcap(['recorder', 'save', '--pid', String(pid), '-w', file]);
  t.match(saved, { code: 0, stderr: /saved \d+ packets/ });
  t.notMatch(saved.stderr, /damaged|cut off/);
  t.ok(soundPackets(t, file) > 0);
  t.equal(lastNs(file), BigInt(box?.last_ns ?? 0), 'the last packet that was counted is in the file');
  await testpmd.stop();
  t.same(leftovers(), []);
}

t.test('doctor names what is left, and recover removes it', { skip }, async (t) => {
  const testpmd = await loaded(t, { env: await recorderEnvironment(['--memory', '8M']) });
  const { path } = await recorded(testpmd.prefix, 1);
  await testpmd.kill('SIGKILL', { keepFiles: true });
  t.match((await runDpcap(['doctor'])).stdout, new RegExp(`black box.*pid ${testpmd.pid},.*${path}`));
  t.match(await runDpcap(['recover', '--box', path]), { code: 0, stdout: /^removed / });
  t.same(await boxesOf(testpmd.prefix), []);
});

t.test('a box after its application: restart, copies, cut off, planted', { skip }, async (t) => {
  const [env, prefix, folder] = [await recorderEnvironment(['--memory', '8M', '-s', '64']), uniqueName(), t.testdir()];
  const first = await loaded(t, { env, prefix });
  await recorded(prefix, 50_000);
  await first.kill('SIGKILL', { keepFiles: true });
  const second = await loaded(t, { env, prefix });
  await recorded(prefix, 1);
  t.same(
    (await boxesOf(prefix)).map(({ pid, recording }) => ({ pid, recording })).sort((a, b) => a.pid - b.pid),
    [
      { pid: first.pid, recording: false },
      { pid: second.pid, recording: true },
    ].sort((a, b) => a.pid - b.pid),
    'the restarted application keeps the old box',
  );
  t.match(await recorder(second, 'save', '-w', join(folder, 'living.pcapng')), { code: 0 });
  const old = (await boxesOf(prefix)).find(({ pid }) => pid === first.pid)?.path ?? '';
  const copy = join(folder, 'copy.box');
  copyFileSync(old, copy);
  rmSync(old);
  const save = (...words: string[]): ReturnType<typeof runDpcap> => {
    return runDpcap(['recorder', 'save', '--box', copy, '-w', join(folder, 'copy.pcapng'), ...words]);
  };
  t.match(await save('--last', '1ms'), { code: 0 });
  t.match(await save('--since', '2020-01-01T00:00:00'), {
    code: 0,
    stderr: /all packets from .* on are there|switched on only/,
  });
  t.ok(soundPackets(t, join(folder, 'copy.pcapng')) > 0);
  truncateSync(copy, 4 * 2 ** 20);
  t.match(await save(), { code: 0, stderr: /cut off: \d+ segments/ });
  t.ok(soundPackets(t, join(folder, 'copy.pcapng')) > 0);
  truncateSync(copy, 1000);
  t.match(await save(), { code: 1, stderr: /it is too short/ });
  chownSync(copy, 1000, 1000);
  t.match(await save(), { code: 1, stderr: /belongs to user 1000.*EPERM/ });
});

t.test('memory that does not fit', { skip }, async (t) => {
  const testpmd = await loaded(t);
  t.match(await recorder(testpmd, 'on', '--memory', '64G'), { code: 1, stderr: /does not fit.*ENOMEM/ });
  await testpmd.stop();
  const full = ['unshare', '--mount', 'sh', '-c', 'mount -t tmpfs -o size=16m none /dev/shm && exec "$@"', 'sh'];
  const prefix = uniqueName();
  // Named by the environment, the runtime directory is not taken for the box.
  const env = { ...(await recorderEnvironment(['--memory', '64M'])), RUNTIME_DIRECTORY: '/var/run' };
  const other = await startWithAgent('LD_PRELOAD', { ...NULLS, prefix, env, within: full });
  t.teardown(() => other.stop());
  await other.command('start');
  await other.expect(/nothing is recorded: the machine has no memory to spare for it/);
  t.match(await recorder(other, 'on', '--memory', '64M'), { code: 1, stderr: /does not fit.*(ENOSPC|ENOMEM)/ });
  t.match(await recorder(other, 'on', '--memory', '4M'), { code: 0 }, 'less does');
  t.match(await recorder(other, 'save', '-w', join(t.testdir(), 'x.pcapng')), { code: 0 }, 'where only it can see it');
  t.match(await recorder(other, 'off'), { code: 0 });
  await isForwarding(t, other, 'afterwards');
});
