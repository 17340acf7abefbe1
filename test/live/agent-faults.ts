/** Whatever happens to the engine, to the agent's thread, or to what the agent may do: the application goes on as it was. */
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { belongings, belongingsLike, startWithAgent } from '../harness/agent.js';
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
} from '../harness/index.js';

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
    if (point === 'agent.stopping') await (await running.started()).stop();
    t.match(await running.ended(), { code: 1, messages: /the agent has ended the capture by itself/ }, point);
    await canCapture(t, testpmd, point);
    t.same(await belongingsLike(had, testpmd.pid), had, `${point}: it has what it had`);
    await isUnharmed(t, testpmd, before, point);
    await isForwarding(t, testpmd, point);
  }
});

/** Runs a program that may not call memfd_create(): x86-64 has number 319 for it, arm64 279. */
const WITHOUT_MEMFD = `
import ctypes, os, platform, struct, sys
number = 319 if platform.machine() == 'x86_64' else 279
words = [(0x20, 0, 0, 0), (0x15, 0, 1, number), (0x06, 0, 0, 0x50001), (0x06, 0, 0, 0x7fff0000)]
code = ctypes.create_string_buffer(b''.join(struct.pack('HBBI', *word) for word in words))
program = struct.pack('HxxxxxxQ', len(words), ctypes.addressof(code))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, program) == 0
os.execvp(sys.argv[1], sys.argv[1:])
`;

t.test('an application that may make no memory to share', { skip }, async (t) => {
  const testpmd = await forwarding(t, { within: ['python3', '-c', WITHOUT_MEMFD] });
  const had = belongings(testpmd.pid);
  const refused = await capture(testpmd, TO_NULL);
  t.match(refused, { code: 1, messages: /the agent cannot make memory for the copies.*EPERM/ });
  t.same(await belongingsLike(had, testpmd.pid), had);
  await isForwarding(t, testpmd, 'refused');
});

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
