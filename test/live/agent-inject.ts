/** The agent in applications that run, and were not prepared: they go on as they were, and can be captured from. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { findPlaces } from '../../src/agent/inject/places.js';
import { hostAddon } from '../../src/native/addons.js';
import { readMemory } from '../../src/system/process-memory.js';
import { belongings, belongingsLike, startForwarderIn } from '../harness/agent.js';
import { agentServes } from '../harness/agent-socket.js';
import { isMissing } from '../harness/built.js';
import { type FaultPoint, faultAt, INJECT_POINTS } from '../harness/fault.js';
import {
  balances,
  bridgeTwoNamespaces,
  capture,
  childrenOf,
  isForwarding,
  leftovers,
  requirements,
  runDpcap,
  runDpcapAsNobody,
  startDpcap,
  startTestpmd,
  type Testpmd,
  type TestpmdOptions,
} from '../harness/index.js';
import { inject, runInject } from '../harness/inject.js';
import { findOpenVswitch, startOpenVswitch } from '../harness/open-vswitch.js';
import { isStopped } from '../harness/stopped.js';
import { isWhatTcpdumpSees } from '../harness/wire.js';

/** With the agent everywhere, there is nothing to inject. */
const isHere = process.env.DPCAP_TEST_AGENT === '1' && 'each testpmd has the agent already';
const skip = isHere || requirements({ hugepagesMb: 256, tools: ['ethtool', 'curl', 'unshare'] });
const PINGS = 500;
/** The first of INJECT_POINTS: nothing has happened there yet, as far as the application can tell. */
const BEFORE_SENDING: readonly FaultPoint[] = INJECT_POINTS.slice(0, 2);

async function forwarding(t: Test, options: Partial<TestpmdOptions> = {}): Promise<Testpmd> {
  const testpmd = await startTestpmd({ vdevs: ['net_null0', 'net_null1'], ...options });
  t.teardown(() => testpmd.stop());
  await testpmd.command('start');
  return testpmd;
}

/** Where the code was, there is nothing again. */
function nothingIsLeft(t: Test, pid: number): void {
  const room = hostAddon().trampolineRoom;
  const { places } = findPlaces(pid, room);
  if (!places) throw new Error('there are no places');
  t.ok(
    readMemory(`/proc/${pid}`, places.code, room).every((byte) => byte === 0),
    'the code was taken out',
  );
  t.ok(readMemory(`/proc/${pid}`, places.report, 24).every((byte) => byte === 0));
}

/** By release: see src/agent/inject/threads.ts. */
const INTERRUPTS = /^(eal-intr-thread|dpdk-intr)$/;

for (const eal of [[], ['--in-memory', '--no-telemetry']]) {
  t.test(`testpmd ${eal.join(' ')}`, { skip }, async (t) => {
    const testpmd = await forwarding(t, { eal });
    const had = belongings(testpmd.pid);
    t.match(await inject(testpmd.pid, ['--dry-run']), { effect: 'planned', thread: { name: INTERRUPTS } });
    t.same(belongings(testpmd.pid), had, 'a dry run does nothing');
    t.match(await inject(testpmd.pid), {
      effect: 'injected',
      delivery: 'path',
      calls: [{ thread: /^(eal|dpdk)-intr/ }],
    });
    nothingIsLeft(t, testpmd.pid);
    const has = await belongingsLike(
      { ...had, threads: had.threads + 1, descriptors: had.descriptors + 1 },
      testpmd.pid,
    );
    t.same(has, { ...had, threads: had.threads + 1, descriptors: had.descriptors + 1 }, 'a thread and its socket');
    t.match(testpmd.process.output, /dpcap-agent: it was loaded into this process while that runs/);
    t.match(await inject(testpmd.pid), { effect: 'unchanged' });
    await isTold(t, testpmd);
    balances(t, await capture(testpmd, ['--via', 'agent', '-i', 'any', '-c', '5000', '-w', '/dev/null']));
    await isForwarding(t, testpmd, 'afterwards');
    t.match(await testpmd.stop(), { code: 0 });
    t.same(leftovers(), []);
  });
}

/** What doctor, list and check say of one that was injected. */
async function isTold(t: Test, { prefix, pid }: Testpmd): Promise<void> {
  const named = ['--file-prefix', prefix];
  t.match(await runDpcap(['doctor', ...named]), { stdout: /answers in pid \d+, injected while that ran/ });
  t.match(await runDpcap(['list', ...named]), { stdout: /yes, through its agent, injected/ });
  t.match(await runDpcap(['agent', 'check', String(pid)]), { code: 0, stdout: /answers, injected$/m });
}

for (const program of ['dpdk-forwarder', 'dpdk-static-forwarder'] as const) {
  t.test(`ping and curl through ${program}`, { skip: skip || isMissing(program) }, async (t) => {
    const bridge = bridgeTwoNamespaces();
    t.teardown(() => bridge.close());
    const application = await startForwarderIn(program, bridge.vdevs);
    t.teardown(() => application.stop());
    t.match(await inject(application.process.pid), { effect: 'injected' });
    await isWhatTcpdumpSees(t, bridge, application.prefix, '0');
    t.match(await application.stop(), { code: 0 });
    bridge.close();
    t.same(leftovers(), []);
  });
}

t.test('Open vSwitch under a flood of pings', { skip: skip || findOpenVswitch().reason }, async (t) => {
  const bridge = bridgeTwoNamespaces();
  t.teardown(() => bridge.close());
  const ovs = await startOpenVswitch(bridge.vdevs, 'none');
  t.teardown(() => ovs.stop());
  bridge.a.run('ping', ['-c', '3', '-i', '0.05', '-W', '2', bridge.b.address]);
  const flood = bridge.a.start('ping', ['-c', String(PINGS), '-i', '0.002', '-W', '2', bridge.b.address]);
  await flood.expect(/icmp_seq=50 /);
  t.match(await inject(ovs.pid), { effect: 'injected' });
  t.match(await flood.wait(), { stdout: new RegExp(`${PINGS} received, 0% packet loss`) });
  await isWhatTcpdumpSees(t, bridge, ovs.prefix, 'net_af_packet0');
  await ovs.stop();
  bridge.close();
  t.same(leftovers(), []);
});

/** Tries again after an injector was killed. */
async function isSoundAfter(t: Test, testpmd: Testpmd, point: string): Promise<void> {
  t.match(await runInject(testpmd.pid), { code: 0 }, `${point}: tried again`);
  balances(t, await capture(testpmd, ['--via', 'agent', '-i', 'any', '-c', '500', '-w', '/dev/null']));
  await isForwarding(t, testpmd, point);
  t.match(await testpmd.stop(), { code: 0 }, point);
  t.same(leftovers(), []);
}

t.test('an injector that is killed before it has sent the thread has done nothing', { skip }, async (t) => {
  const testpmd = await forwarding(t);
  const had = belongings(testpmd.pid);
  for (const point of BEFORE_SENDING) {
    t.match(await runInject(testpmd.pid, [], faultAt(point, 'kill')), { signal: 'SIGKILL' }, point);
    await isForwarding(t, testpmd, point);
    t.same(belongings(testpmd.pid), had);
  }
  await isSoundAfter(t, testpmd, 'before');
});

for (const point of INJECT_POINTS.filter((one) => !BEFORE_SENDING.includes(one))) {
  t.test(`an application needs nobody once an injector has passed ${point}`, { skip }, async (t) => {
    const testpmd = await forwarding(t);
    t.match(await runInject(testpmd.pid, [], faultAt(point, 'kill')), { signal: 'SIGKILL' });
    await agentServes(testpmd.prefix, testpmd.pid);
    await isSoundAfter(t, testpmd, point);
  });
}

t.test('two at once', { skip }, async (t) => {
  const testpmd = await forwarding(t);
  const had = belongings(testpmd.pid);
  const both = await Promise.all([runInject(testpmd.pid), runInject(testpmd.pid)]);
  t.match(both, [{ code: 0 }, { code: 0 }]);
  const wanted = { ...had, threads: had.threads + 1, descriptors: had.descriptors + 1 };
  t.same(await belongingsLike(wanted, testpmd.pid), wanted, 'one agent');
  nothingIsLeft(t, testpmd.pid);
});

t.test('an application in other namespaces makes a file in memory for it', { skip }, async (t) => {
  const within = ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const testpmd = await forwarding(t, { within });
  const [pid = 0] = childrenOf(testpmd.pid);
  const had = belongings(pid);
  const { delivery, calls } = await inject(pid);
  t.match({ delivery, calls }, { delivery: 'memfd', calls: { length: 3 } });
  const wanted = { ...had, threads: had.threads + 1, descriptors: had.descriptors + 1 };
  t.match(await belongingsLike({ ...wanted, mappings: 0 }, pid), wanted, 'the file is closed again');
  nothingIsLeft(t, pid);
  t.match(await inject(pid), { effect: 'unchanged' });
  await isForwarding(t, testpmd, 'afterwards');
});

t.test('what is refused, by name', { skip }, async (t) => {
  const testpmd = await forwarding(t);
  const refused = async (pid: number, expected: RegExp, args: string[] = []): Promise<void> => {
    t.match(await runInject(pid, args), { code: 1, stderr: expected });
  };
  await refused(process.pid, /has no DPDK in it that others can call \(ENOENT\)\n/);
  await refused(4_000_000, /there is no process 4000000 \(ESRCH\)\n/);
  t.match(await runDpcapAsNobody(['agent', 'inject', String(testpmd.pid), '--yes']), {
    code: 1,
    stderr: /belongs to another user \(EPERM\)\n.*CAP_SYS_PTRACE/,
  });
  const file = join(`/var/run/dpdk/${testpmd.prefix}`, 'dpcap_no_inject');
  writeFileSync(file, '');
  await refused(testpmd.pid, /it is forbidden for dpdk-testpmd.*dpcap_no_inject/);
  rmSync(file);
  await isRefusedAtFirst(t, testpmd);
  await isRefusedWhileTraced(t, testpmd);
  await isForwarding(t, testpmd, 'afterwards');
});

/** Stopped, and when nobody was asked. */
async function isRefusedAtFirst(t: Test, { pid }: Testpmd): Promise<void> {
  const unasked = await runDpcap(['agent', 'inject', String(pid)]);
  t.match(unasked, { code: 2, stderr: /this loads dpcap's agent into.*\n.*add --yes/ });
  process.kill(pid, 'SIGSTOP');
  t.match(await runInject(pid), { code: 1, stderr: /is stopped \(EAGAIN\)\n.*kill -CONT/ });
  process.kill(pid, 'SIGCONT');
}

/** By another injector, which stopped with its hand on the thread. */
async function isRefusedWhileTraced(t: Test, { pid }: Testpmd): Promise<void> {
  const env = faultAt('inject.stopped', 'stop');
  const other = startDpcap(['agent', 'inject', String(pid), '--yes'], { env });
  t.teardown(() => other.signal('SIGKILL'));
  while (!isStopped(other.pid) && other.alive()) await delay(5);
  const refused = await runInject(pid, ['--wait', '100ms']);
  t.match(refused, { code: 1, stderr: new RegExp(`is traced by process ${other.pid} \\(EBUSY\\)`) });
  other.signal('SIGCONT');
  t.match(await other.wait(), { code: 0 });
}
