/** Whatever happens to the engine, to the agent's thread, or to what the agent may do: the application goes on as it was. */
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { belongings, belongingsLike, startForwarderWithAgent, startWithAgent } from '../harness/agent.js';
import { agentServes, hasAgentSocket } from '../harness/agent-socket.js';
import { built, isMissing } from '../harness/built.js';
import { AGENT_POINTS, faultAt, startCaptureIn } from '../harness/fault.js';
import {
  accountingErrors,
  canFreezeThreads,
  capinfos,
  capture,
  freezeThread,
  isForwarding,
  isUnharmed,
  remember,
  requirements,
  startCapture,
  type Testpmd,
  type TestpmdOptions,
  threadNamed,
  tsharkFields,
  writePcap,
} from '../harness/index.js';
import { until } from '../harness/joined.js';
import { MemoryCgroup, noMemoryCgroup } from '../harness/memory-cgroup.js';
import { startReplay } from '../harness/replay.js';
import { installedAgent } from '../helpers/native.js';

const skip = requirements({ hugepagesMb: 256, tools: ['python3'] });
const TO_NULL = ['--via', 'agent', '-i', 'any', '-B', '4096', '-w', '/dev/null'];

async function forwarding(t: Test, options: Partial<TestpmdOptions> = {}): Promise<Testpmd> {
  const testpmd = await startWithAgent('LD_PRELOAD', { vdevs: ['net_null0', 'net_null1'], ...options });
  t.teardown(() => testpmd.stop());
  await testpmd.command('start');
  return testpmd;
}

async function canCapture(t: Test, testpmd: Testpmd, what: string): Promise<void> {
  t.match(await capture(testpmd, [...TO_NULL, '-c', '100']), { code: 0 }, `${what}: it can be captured from`);
}

t.test('the engine is killed at each of its points', { skip }, async (t) => {
  const testpmd = await forwarding(t);
  await canCapture(t, testpmd, 'first');
  const before = await remember(testpmd);
  const had = belongings(testpmd.pid);
  for (const point of AGENT_POINTS) {
    const running = startCaptureIn(faultAt(point, 'kill'), testpmd, TO_NULL);
    if (point === 'agent.stopping' || point === 'agent.stopped') await (await running.started()).stop();
    t.match(await running.ended(), { code: 1, messages: /the agent has ended the capture by itself/ }, point);
    await canCapture(t, testpmd, point);
    t.same(await belongingsLike(had, testpmd.pid), had, `${point}: it has what it had`);
    await isUnharmed(t, testpmd, before, point);
    await isForwarding(t, testpmd, point);
  }
});

/** Runs a program under a filter of system calls; `words` are its instructions, for memfd_create() with that number. */
const withFilter = (words: string): string => `
import ctypes, os, platform, struct, sys
number = 319 if platform.machine() == 'x86_64' else 279
words = ${words}
code = ctypes.create_string_buffer(b''.join(struct.pack('HBBI', *word) for word in words))
program = struct.pack('HxxxxxxQ', len(words), ctypes.addressof(code))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, program) == 0
os.execvp(sys.argv[1], sys.argv[1:])
`;
const [REFUSE, ALLOW] = ['(0x06, 0, 0, 0x50001)', '(0x06, 0, 0, 0x7fff0000)']; // EPERM
const WITHOUT_MEMFD = withFilter(`[(0x20, 0, 0, 0), (0x15, 0, 1, number), ${REFUSE}, ${ALLOW}]`);
/** Looks at its second argument as well, for MFD_HUGETLB. */
const WITHOUT_HUGE = withFilter(
  `[(0x20, 0, 0, 0), (0x15, 0, 3, number), (0x20, 0, 0, 24), (0x45, 0, 1, 4), ${REFUSE}, ${ALLOW}]`,
);

t.test('an application that may make no memory to share', { skip }, async (t) => {
  const testpmd = await forwarding(t, { within: ['python3', '-c', WITHOUT_MEMFD] });
  const had = belongings(testpmd.pid);
  const refused = await capture(testpmd, TO_NULL);
  t.match(refused, { code: 1, messages: /the agent cannot make memory for the copies.*EPERM/ });
  t.same(await belongingsLike(had, testpmd.pid), had);
  await isForwarding(t, testpmd, 'refused');
});

const MIB = 2 ** 20;

t.test(
  'one that may make none in huge pages, and has little of the others',
  { skip: skip || noMemoryCgroup },
  async (t) => {
    const group = new MemoryCgroup();
    t.teardown(() => group.remove());
    const testpmd = await forwarding(t, { within: [...group.within, 'python3', '-c', WITHOUT_HUGE] });
    const had = belongings(testpmd.pid);
    t.match(await capture(testpmd, [...TO_NULL, '-c', '100']), {
      code: 0,
      stderr: /the copies are in ordinary pages/,
    });
    group.leave(64 * MIB);
    const refused = await capture(testpmd, ['--via', 'agent', '-i', 'any', '-B', '65536', '-w', '/dev/null']);
    t.match(refused, { code: 1, messages: /the application has no memory to spare.*ENOMEM/ });
    await canCapture(t, testpmd, 'with less');
    t.same(await belongingsLike(had, testpmd.pid), had);
    await isForwarding(t, testpmd, 'afterwards');
    await testpmd.stop();
  },
);

const noFreezer = skip || (!canFreezeThreads() && 'there is no cgroup2 to freeze threads with');

t.test("the agent's thread gets no CPU", { skip: noFreezer }, async (t) => {
  const testpmd = await forwarding(t);
  const had = belongings(testpmd.pid);
  const file = join(t.testdir(), 'x.pcap');
  const running = startCapture(testpmd, ['--via', 'agent', '-i', '0', '-w', file]);
  await running.written(1);
  await testpmd.command('stop'); // or the file would be gigabytes
  const thaw = await freezeThread(testpmd.pid, threadNamed(testpmd.pid, 'dpcap-agent'));
  t.match(await capture(testpmd, TO_NULL), { code: 1, messages: /the agent does not answer/ });
  const captured = await running.stop();
  t.match(captured, { code: 1, messages: /the agent does not answer/ });
  t.same(accountingErrors(captured), []);
  t.equal(capinfos(file)['Number of packets'], String(captured.final?.packets), 'what came is in the file');
  thaw();
  t.same(await belongingsLike(had, testpmd.pid), had, 'afterwards it has what it had');
  await testpmd.command('start');
  await isForwarding(t, testpmd, 'afterwards');
  await canCapture(t, testpmd, 'afterwards');
});

for (const [how, end] of [
  ['ends in order', (testpmd: Testpmd) => testpmd.stop()],
  ['aborts', (testpmd: Testpmd) => testpmd.kill('SIGABRT')],
] as const) {
  t.test(`an application that ${how}`, { skip }, async (t) => {
    const testpmd = await forwarding(t);
    const file = join(t.testdir(), 'x.pcap');
    const running = startCapture(testpmd, ['--via', 'agent', '-i', 'any', '-w', file]);
    await running.written(1);
    const exit = await end(testpmd);
    t.same(exit, how === 'aborts' ? { code: null, signal: 'SIGABRT' } : { code: 0, signal: null });
    const captured = await running.ended();
    t.equal(captured.code, 1);
    t.equal(capinfos(file)['Number of packets'], String(captured.final?.packets));
  });
}

const nameOf = (pid: number): string => readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
const openFiles = (pid: number): string[] =>
  readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));

/** The memory of a capture, and sockets of an agent's name, which those of its clients have as well. */
function isOfTheAgent(name: string): boolean {
  const inode = /^socket:\[(\d+)\]$/.exec(name)?.[1];
  const socket = readFileSync('/proc/net/unix', 'utf8')
    .split('\n')
    .find((line) => line.split(/ +/)[6] === inode);
  return /memfd:dpcap/.test(name) || (inode !== undefined && /dpcap_agent_/.test(socket ?? ''));
}

for (const [kind, what] of [
  ['e', 'becomes another program'],
  ['f', 'waits'],
] as const) {
  t.test(`a child that ${what}`, { skip: skip || isMissing('dpdk-forwarder') }, async (t) => {
    const application = await startForwarderWithAgent('dpdk-forwarder', ['net_null0', 'net_null1']);
    t.teardown(() => application.stop());
    const running = await startCapture(application, TO_NULL).started();
    application.process.write(kind);
    const child = Number((await application.process.expect(/^child (\d+)$/m))[1]);
    if (kind === 'e') await until(() => nameOf(child) === 'sleep' || undefined, 'it is not sleep(1)');
    t.notOk(hasAgentSocket(application.prefix, child), 'it serves nobody');
    t.equal(belongings(child).threads, 1);
    if (kind === 'e') t.same(openFiles(child).filter(isOfTheAgent), [], 'nothing was left open for it');
    const before = (await running.written(1)).packets;
    await running.written(before + 1000);
    t.match(await running.stop(), { code: 0 });
    t.match(await capture(application, [...TO_NULL, '-c', '100']), { code: 0 }, 'the application has its agent still');
    t.match(await application.stop(), { code: 0 });
  });
}

t.test('exit() in the middle of forwarding', { skip: skip || isMissing('dpdk-forwarder') }, async (t) => {
  const application = await startForwarderWithAgent('dpdk-forwarder', ['net_null0', 'net_null1']);
  t.teardown(() => application.stop());
  const running = startCapture(application, TO_NULL);
  await running.written(1);
  application.process.write('x');
  t.match(await application.process.exited, { code: 0, signal: null });
  t.match(await running.ended(), { code: 1, messages: /the primary process exited/ });
  t.notOk(hasAgentSocket(application.prefix, application.process.pid), 'its socket is gone');
});

const RX = ['--via', 'agent', '-i', '0', '-Q', 'rx'];
const timesIn = (file: string): number[] => tsharkFields(file, ['frame.time_epoch']).map(([time]) => Number(time));

for (const [way, step] of [
  ['back', -7200],
  ['forward', 7200],
] as const) {
  t.test(`the clock is set ${way} while packets come`, { skip: skip || isMissing('stepped-clock.so') }, async (t) => {
    const folder = t.testdir();
    const [frames, file, single, stepped] = ['frames.pcap', 'x.pcap', 'one.pcap', 'stepped'].map((name) =>
      join(folder, name),
    ) as [string, string, string, string];
    writePcap(
      frames,
      Array.from({ length: 100 }, () => Buffer.alloc(60)),
    );
    const preload = [installedAgent(), built('stepped-clock', 'stepped-clock.so')].join(':');
    const env = { LD_PRELOAD: preload, DPCAP_TEST_STEPPED: stepped, DPCAP_TEST_STEP: String(step) };
    const replay = await startReplay([[frames]], 100, { env });
    t.teardown(() => replay.testpmd.stop());
    await agentServes(replay.testpmd.prefix, replay.testpmd.pid);
    const running = await startCapture(replay.testpmd, [...RX, '-w', file]).started();
    await replay.play();
    writeFileSync(stepped, '');
    const now = Date.now() / 1000;
    let first = now;
    // The agent looks at the clocks ten times a second.
    for (let tries = 0; tries < 50 && Math.abs(first - now) < 3600; tries++) {
      const one = await startCapture(replay.testpmd, [...RX, '-c', '1', '-w', single]).started();
      await replay.play();
      t.match(await one.ended(), { code: 0 });
      first = timesIn(single)[0] as number;
    }
    const captured = await running.stop();
    const times = timesIn(file);
    t.equal(times.length, captured.final?.packets);
    const steps = times.filter((time, at) => at > 0 && Math.abs(time - (times[at - 1] as number)) > 3600);
    t.equal(steps.length, 1, 'once');
    t.ok(Math.abs((times.at(-1) as number) - (times[0] as number) - step) < 60);
  });
}
