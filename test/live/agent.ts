/** Captures through the agent: of applications that nobody can join, exactly, and without a trace in the application. */
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { hostAddon } from '../../src/native/addons.js';
import { sum } from '../../src/supervisor/report/stats-record.js';
import { belongings, belongingsLike, type Loading, startWithAgent } from '../harness/agent.js';
import { isByteForByte } from '../harness/byte-for-byte.js';
import {
  balances,
  capinfos,
  capture,
  enginePid,
  gone,
  isForwarding,
  isUnharmed,
  leftovers,
  remember,
  requirements,
  run,
  runDpcap,
  start,
  startCapture,
  type Testpmd,
  total,
} from '../harness/index.js';

const skip = requirements({ hugepagesMb: 256 });
const AGENT = ['--via', 'agent'];
const SESSIONS = 16;

const WAYS: [name: string, Loading, eal: string[]][] = [
  ['-d', '-d', []],
  ['LD_PRELOAD', 'LD_PRELOAD', []],
  ['-d, --in-memory', '-d', ['--in-memory']],
  ['LD_PRELOAD, --in-memory', 'LD_PRELOAD', ['--in-memory', '--no-telemetry']],
  ['-d, --no-huge', '-d', ['--no-huge']],
  ['LD_PRELOAD, --no-huge, --no-shconf', 'LD_PRELOAD', ['--no-huge', '--no-shconf']],
];

async function forwarding(t: Test, loading: Loading = '-d', eal: string[] = []): Promise<Testpmd> {
  const testpmd = await startWithAgent(loading, { vdevs: ['net_null0', 'net_null1'], eal });
  t.teardown(() => testpmd.stop());
  await testpmd.command('start');
  return testpmd;
}

for (const [name, loading, eal] of WAYS) {
  t.test(`an application with ${name}`, { skip }, async (t) => {
    const testpmd = await isByteForByte(t, (vdevs) => startWithAgent(loading, { vdevs, eal, memoryMb: 256 }), AGENT);
    t.match(await testpmd.stop(), { code: 0 });
    t.same(leftovers(), []);
  });
}

t.test('-c is exact at full load, on lanes that are merged by time', { skip }, async (t) => {
  const testpmd = await forwarding(t);
  const before = await remember(testpmd);
  const had = belongings(testpmd.pid);
  for (const [format, count] of [
    ['pcap', 50_000],
    ['pcapng', 777],
    ['pcap', 1],
  ] as const) {
    const file = join(t.testdir(), `x.${format}`);
    const captured = await capture(testpmd, [...AGENT, '-i', 'any', '-c', String(count), '-w', file]);
    balances(t, captured);
    t.equal(capinfos(file)['Number of packets'], String(count));
    t.equal(capinfos(file)['Strict time order'], 'True', `${format}: in the order of time`);
  }
  t.same(await belongingsLike(had, testpmd.pid), had, 'no thread, descriptor or memory more than before');
  await isUnharmed(t, testpmd, before, 'afterwards');
  await isForwarding(t, testpmd, 'afterwards');
});

t.test('several captures of the same queues, each with its own filter and end', { skip }, async (t) => {
  const testpmd = await forwarding(t);
  const had = belongings(testpmd.pid);
  const words = [...AGENT, '-i', '0', '-Q', 'rx', '-B', '2048', '-w', '/dev/null'];
  const all = await Promise.all(
    Array.from({ length: SESSIONS }, (_, i) => startCapture(testpmd, [...words, ...(i % 2 ? ['udp'] : [])]).started()),
  );
  const refused = await capture(testpmd, words);
  t.match(refused, { code: 1, messages: /as many captures as it serves.*EUSERS/ });
  t.match(await runDpcap(['agent', 'check', String(testpmd.pid)]), { code: 0 }, 'others are answered all the same');
  for (const [i, one] of all.entries()) {
    const captured = await one.stop();
    balances(t, captured);
    t.equal(total(captured, i % 2 ? 'accepted' : 'filtered'), 0);
    t.ok(total(captured, i % 2 ? 'filtered' : 'accepted') > 0);
  }
  t.same(await belongingsLike(had, testpmd.pid), had);
  await isForwarding(t, testpmd, 'afterwards');
});

t.test('an engine that is killed leaves nothing, and needs no recovery', { skip }, async (t) => {
  const testpmd = await forwarding(t);
  const before = await remember(testpmd);
  const had = belongings(testpmd.pid);
  for (let round = 0; round < 5; round++) {
    const running = await startCapture(testpmd, [...AGENT, '-i', 'any', '-w', '/dev/null']).started();
    const engine = enginePid(running.pid);
    process.kill(engine, 'SIGKILL');
    await gone(engine);
    t.match(await running.ended(), { code: 1, messages: /the agent has ended the capture by itself/ });
  }
  // Its answer comes after those connections were closed.
  t.match(await capture(testpmd, [...AGENT, '-c', '1', '-w', '/dev/null']), { code: 0 });
  t.same(await belongingsLike(had, testpmd.pid), had);
  await isUnharmed(t, testpmd, before, 'killed');
  await isForwarding(t, testpmd, 'killed');
});

t.test('an application that is killed ends the capture, with all that came', { skip }, async (t) => {
  const testpmd = await forwarding(t);
  const [fifo, file] = ['fifo', 'x.pcap'].map((name) => join(t.testdir(), name)) as [string, string];
  run('mkfifo', [fifo]);
  const reader = start('sh', ['-c', 'exec cat "$0" >"$1"', fifo, file]);
  const running = startCapture(testpmd, [...AGENT, '-i', 'any', '-s', '64', '-w', fifo]);
  await running.written(1);
  reader.signal('SIGSTOP'); // much waits for it from now on
  while (sum((await running.next()).ports, 'ringfull') === 0);
  await testpmd.kill();
  reader.signal('SIGCONT');
  const captured = await running.ended();
  t.match(captured, { code: 1, messages: /ERR_PRIMARY_GONE|the primary process exited/ });
  await reader.wait();
  t.equal(capinfos(file)['Number of packets'], String(captured.final?.packets));
  t.ok(total(captured, 'ringfull') > 0, 'its memory was full');
  t.equal(total(captured, 'surplus'), 0, 'and nothing of it was thrown away');
  t.same(leftovers(), []);
});

t.test('who captures is told by the agent, and by DPDK', { skip }, async (t) => {
  const testpmd = await forwarding(t);
  const told = (): unknown => {
    const socket = `/var/run/dpdk/${testpmd.prefix}/dpdk_telemetry.v2`;
    return JSON.parse(hostAddon().telemetry(socket, '/dpcap/captures', 2000))['/dpcap/captures'];
  };
  t.same(told(), {});
  const running = await startCapture(testpmd, [...AGENT, '-i', 'any', '-s', '99', '-w', '/dev/null', 'udp']).started();
  const client = enginePid(running.pid);
  const expected = { client_pid: client, state: 'capturing', lanes: 4, snaplen: 99, contended: 0, ringfull: 0 };
  t.match(told(), { 0: expected });
  const checked = await runDpcap(['agent', 'check', String(testpmd.pid)]);
  t.match(checked, { code: 0, stdout: new RegExp(` pid ${client} +off +answers$`, 'm') });
  await running.stop();
  t.same(told(), {});
});

t.test('there is none', { skip }, async (t) => {
  t.match(await runDpcap(['agent', 'path']), { code: 0, stdout: /^\S+libdpcap_agent\.dpdk\d+\.so\n$/ });
  const refused = await runDpcap([...AGENT, '--file-prefix', 'nobody', '-w', '/dev/null']);
  t.match(refused, { code: 1, stderr: /no application with file prefix nobody has an agent.*\n.*dpcap agent path/ });
});
