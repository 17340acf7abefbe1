/** Captures by probes of the kernel's: of applications that nobody prepared, exactly, and without a trace afterwards. */
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type StatsRecord, sum } from '../../src/supervisor/report/stats-record.js';
import { projectFile } from '../../src/system/location.js';
import { startForwarderIn } from '../harness/agent.js';
import { isMissing } from '../harness/built.js';
import { isByteForByte } from '../harness/byte-for-byte.js';
import {
  balances,
  bridgeTwoNamespaces,
  capinfos,
  capture,
  enginePid,
  gone,
  interfaceGone,
  isForwarding,
  isThroughAgent,
  isUnharmed,
  kniName,
  leftovers,
  readPcap,
  recordsIn,
  remember,
  requirements,
  runDpcap,
  startCapture,
  startForwarder,
  startTestpmd,
  total,
  underLoad,
  watchInterface,
} from '../harness/index.js';
import { findOpenVswitch, startOpenVswitch } from '../harness/open-vswitch.js';
import { countProbes, lacksProbes, probesGone, probesOf } from '../harness/probes.js';
import { Rounds } from '../harness/rounds.js';
import { isWhatTcpdumpSees } from '../harness/wire.js';

const skip = requirements({ hugepagesMb: 128 }) || lacksProbes() || (isThroughAgent && 'applications have the agent');
const skipBridge = skip || requirements({ hugepagesMb: 128, tools: ['ethtool', 'curl'] });
const ENGINE = projectFile('dist/test/harness/ebpf-engine.js');
const EBPF = ['--via', 'ebpf'];
/** Of applications that receive without an end, whatever is done to them. */
const ENDLESS = [...EBPF, '--probe-budget', '100'];

for (const eal of [[], ['--in-memory'], ['--no-huge']]) {
  t.test(`an application with ${eal[0] ?? 'nothing special'}`, { skip }, async (t) => {
    const testpmd = await isByteForByte(t, (vdevs) => startTestpmd({ vdevs, eal, memoryMb: 256 }), EBPF);
    t.equal(countProbes(testpmd.pid), 0);
    t.match(await testpmd.stop(), { code: 0 });
    t.same(leftovers(), []);
  });
}

t.test('the queues of a primary and of a secondary, in one file', { skip }, async (t) => {
  const words = (id: number): string[] => ['--rxq=2', '--txq=2', '--num-procs=2', `--proc-id=${id}`];
  const options = { vdevs: ['net_null0', 'net_null1'], cores: '0,1' };
  const primary = await startTestpmd({ ...options, args: words(0) });
  t.teardown(() => primary.stop());
  const joining = { ...options, vdevs: [], prefix: primary.prefix, eal: ['--proc-type=secondary'] };
  const secondary = await startTestpmd({ ...joining, args: words(1) });
  t.teardown(() => secondary.kill('SIGTERM', { keepFiles: true }));
  for (const one of [primary, secondary]) await one.command('start');
  const running = startCapture(primary, [...ENDLESS, '-i', '0', '-Q', 'rx', '-w', '/dev/null']);
  const ofQueue = ({ ports }: StatsRecord, queue: number): number =>
    sum(
      ports.filter((lane) => lane.queue === queue),
      'written',
    );
  await running.started();
  for (let record = await running.next(); ofQueue(record, 0) === 0 || ofQueue(record, 1) === 0; )
    record = await running.next();
  await secondary.kill('SIGKILL', { keepFiles: true });
  const { packets } = await running.next();
  await running.written(packets + 10_000);
  balances(t, await running.stop());
  await isForwarding(t, primary, 'the primary');
  t.equal(countProbes(primary.pid), 0);
});

for (const program of ['dpdk-forwarder', 'dpdk-static-forwarder']) {
  t.test(`ping and curl through ${program}`, { skip: skipBridge || isMissing(program) }, async (t) => {
    const bridge = bridgeTwoNamespaces();
    t.teardown(() => bridge.close());
    const application = await startForwarderIn(program, bridge.vdevs);
    t.teardown(() => application.stop());
    const words = ['--file-prefix', application.prefix];
    t.match(await runDpcap(['list', ...words]), { stdout: /with --via ebpf/ });
    const refused = await runDpcap([...words, '-w', '/dev/null']);
    t.match(refused, { code: 1, stderr: /about \d+\.\d us a poll on this machine: --via ebpf/ });
    const injection = new RegExp(`: dpcap agent inject ${application.process.pid}$`, 'm');
    t.match(refused.stderr, injection, 'DPDK is linked into both, or its libraries are loaded; glibc is there in both');
    await isWhatTcpdumpSees(t, bridge, application.prefix, '0', EBPF);
    t.match(await application.stop(), { code: 0 });
    bridge.close();
    t.same(leftovers(), []);
  });
}

t.test('ping and curl through Open vSwitch', { skip: skipBridge || findOpenVswitch().reason }, async (t) => {
  const bridge = bridgeTwoNamespaces();
  t.teardown(() => bridge.close());
  const ovs = await startOpenVswitch(bridge.vdevs, 'none');
  t.teardown(() => ovs.stop());
  await isWhatTcpdumpSees(t, bridge, ovs.prefix, 'net_af_packet0', EBPF);
  await ovs.stop();
  bridge.close();
  t.same(leftovers(), []);
});

t.test('-c is exact at full load, on lanes that are merged by time', { skip }, async (t) => {
  const testpmd = await underLoad(t);
  const before = await remember(testpmd);
  for (const [format, count] of [
    ['pcap', 50_000],
    ['pcapng', 777],
    ['pcap', 1],
  ] as const) {
    const file = join(t.testdir(), `x.${format}`);
    const captured = await capture(testpmd, [...ENDLESS, '-i', 'any', '-c', String(count), '-w', file]);
    balances(t, captured);
    t.equal(capinfos(file)['Number of packets'], String(count));
    t.equal(capinfos(file)['Strict time order'], 'True', `${format}: in the order of time`);
  }
  t.equal(countProbes(testpmd.pid), 0);
  await isUnharmed(t, testpmd, before, 'afterwards');
  await isForwarding(t, testpmd, 'afterwards');
});

t.test('a filter, a snaplen, one direction', { skip }, async (t) => {
  const testpmd = await underLoad(t);
  const words = [...ENDLESS, '-a', 'duration:1', '-w'];
  const none = await capture(testpmd, [...words, '/dev/null', 'udp']);
  balances(t, none);
  t.equal(total(none, 'accepted'), 0);
  t.ok(total(none, 'filtered') > 0);
  const file = join(t.testdir(), 'x.pcap');
  const cut = await capture(testpmd, [...ENDLESS, '-Q', 'tx', '-s', '20', '-c', '100', '-w', file]);
  balances(t, cut);
  t.ok(cut.final?.ports.every(({ direction }) => direction === 'tx'));
  t.ok(readPcap(file).packets.every(({ data, len }) => data.length === 20 && len === 64));
});

t.test('filters run in the kernel, and where it sees too little in the engine', { skip }, async (t) => {
  const testpmd = await underLoad(t, { vdevs: ['net_null0,size=600', 'net_null1,size=600'] });
  const words = [...ENDLESS, '-i', '0', '-s', '40'];
  for (const [filter, where] of [
    ['ether[200] = 0', 'all of what it asks for is among the first bytes'],
    ['ether[300] = 0', 'it asks for more'],
  ] as const) {
    const file = join(t.testdir(), 'x.pcap');
    const some = await capture(testpmd, [...words, '-c', '5000', '-w', file, filter]);
    balances(t, some);
    const { packets } = readPcap(file);
    t.equal(packets.length, 5000, where);
    t.ok(packets.every(({ data, len }) => data.length === 40 && len === 600));
    t.equal(total(some, 'filtered'), 0);
    const none = await capture(testpmd, [...words, '-a', 'duration:0.3', '-w', '/dev/null', `not (${filter})`]);
    balances(t, none);
    t.equal(total(none, 'accepted'), 0);
    t.ok(total(none, 'filtered') > 0);
  }
});

t.test('two captures of the same queues', { skip }, async (t) => {
  const testpmd = await underLoad(t);
  const words = [...ENDLESS, '-i', '0', '-w', '/dev/null'];
  const [one, two] = [startCapture(testpmd, words), startCapture(testpmd, [...words, 'udp'])];
  await Promise.all([one.started(), two.started()]);
  const [all, none] = [await one.stop(), await two.stop()];
  balances(t, all);
  balances(t, none);
  t.ok(total(all, 'written') > 0);
  t.equal(total(none, 'written'), 0);
  t.equal(countProbes(testpmd.pid), 0);
});

t.test('an application that falls behind is left alone', { skip }, async (t) => {
  const testpmd = await underLoad(t);
  const file = join(t.testdir(), 'x.pcap');
  const ended = await startCapture(testpmd, [...EBPF, '-Q', 'rx', '-w', file]).ended();
  t.match(ended, { code: 1, messages: /the probes were taken out: more than 50 % of the receive calls/ });
  t.equal(ended.final?.stop_reason, 'application busy');
  t.equal(capinfos(file)['Number of packets'], String(ended.final?.packets));
  t.equal(countProbes(testpmd.pid), 0);
  await isForwarding(t, testpmd, 'afterwards');
});

t.test('an engine that is killed leaves no probe', { skip }, async (t) => {
  const testpmd = await underLoad(t);
  const before = await remember(testpmd);
  for (let round = 0; round < 5; round++) {
    const running = await startCapture(testpmd, [...ENDLESS, '-i', 'any', '-w', '/dev/null']).started();
    t.ok(countProbes(testpmd.pid) > 0);
    const engine = enginePid(running.pid);
    process.kill(engine, 'SIGKILL');
    await gone(engine);
    t.match(await running.ended(), { code: 1, messages: /the kernel has taken its probes out/ });
    t.ok(await probesGone(testpmd.pid), 'no probe is left');
  }
  await isUnharmed(t, testpmd, before, 'killed');
  await isForwarding(t, testpmd, 'killed');
});

t.test('captures start and stop, and engines are killed at any moment', { skip }, async (t) => {
  const testpmd = await underLoad(t);
  const subject = { testpmd, engine: ENGINE, words: [testpmd.prefix], beside: () => probesOf(testpmd.pid) };
  const rounds = await Rounds.begin(subject);
  await rounds.startAndStop(5);
  await rounds.kill(3, 1000);
  t.equal(rounds.failures, 0, 'see the lines above; npm run test:ebpf-rounds does more of them');
});

t.test('a port that is stopped and started is followed', { skip }, async (t) => {
  const testpmd = await underLoad(t);
  const running = await startCapture(testpmd, [...ENDLESS, '-i', '0', '-w', '/dev/null']).started();
  await testpmd.command('stop');
  await testpmd.command('port stop 0');
  await running.process.expect(/net_null0 was stopped/, { stream: 'stderr' });
  await testpmd.command('port start 0');
  await running.process.expect(/net_null0 has started.* probed again/, { stream: 'stderr' });
  await testpmd.command('start');
  const before = recordsIn(running.process.stderr).at(-1)?.packets ?? 0;
  await running.written(before + 10_000);
  balances(t, await running.stop());
});

t.test('an application that is killed ends the capture, with all that came', { skip }, async (t: Test) => {
  const testpmd = await underLoad(t);
  const file = join(t.testdir(), 'x.pcap');
  const running = startCapture(testpmd, [...ENDLESS, '-i', 'any', '-w', file]);
  await running.written(1);
  await testpmd.kill();
  const captured = await running.ended();
  t.match(captured, { code: 1, messages: /ERR_PRIMARY_GONE|the primary process exited/ });
  t.equal(capinfos(file)['Number of packets'], String(captured.final?.packets));
  t.same(leftovers(), []);
});

t.test('forward2kni to a TAP interface', { skip: skipBridge }, async (t) => {
  const bridge = bridgeTwoNamespaces();
  t.teardown(() => bridge.close());
  const testpmd = await startTestpmd({ vdevs: bridge.vdevs });
  t.teardown(() => testpmd.stop());
  await testpmd.command('start');
  const name = kniName();
  const forwarder = startForwarder(testpmd, '0', ['--name', name, '--capture-via', 'ebpf']);
  await forwarder.started();
  const watching = await watchInterface(name, join(t.testdir(), 'tap.pcap'), ['icmp']);
  bridge.a.run('ping', ['-c', '3', '-i', '0.05', '-W', '2', bridge.b.address]);
  await watching.expect(/echo request, id \d+, seq 3,/);
  await watching.expect(/echo reply, id \d+, seq 3,/);
  await watching.stop('SIGINT');
  balances(t, await forwarder.stop());
  await interfaceGone(name);
  t.equal(countProbes(testpmd.pid), 0);
});

t.test('there is none', { skip }, async (t) => {
  const refused = await runDpcap([...EBPF, '--file-prefix', 'nobody', '-w', '/dev/null']);
  t.match(refused, { code: 1, stderr: /no DPDK primary process with file prefix nobody/ });
  t.match(await runDpcap([...EBPF, '--probe-budget', '0', '-w', '/dev/null']), { code: 2, stderr: /--probe-budget/ });
});
