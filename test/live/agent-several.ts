/** Several captures of one application at once, and one capture of an application with several processes. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { startSecondaryWithAgent, startWithAgent } from '../harness/agent.js';
import {
  balances,
  bridgeTwoNamespaces,
  type Captured,
  capture,
  isForwarding,
  type Replay,
  readPcap,
  requirements,
  run,
  startCapture,
  startReplay,
  type Testpmd,
  writePcap,
} from '../harness/index.js';
import { tapsBetween } from '../harness/taps.js';
import { isWhatTcpdumpSees } from '../harness/wire.js';
import { ether, ipv4, tcp, udp } from '../helpers/frames.js';
import { installedAgent } from '../helpers/native.js';

const skip = requirements({ hugepagesMb: 512 });
const noBridge = requirements({ tools: ['ethtool', 'curl'] });
const AGENT = ['--via', 'agent'];
const [TCP, UDP] = [6, 17];

/** Of several lengths, to several ports, by two protocols. */
const FRAMES = Array.from({ length: 200 }, (_, index) => {
  const payload = Buffer.alloc(10 + ((index * 131) % 1300), index);
  const port = 80 + (index % 5);
  const datagram = index % 2 === 0 ? tcp(40000, port, 0x18, payload) : udp(40000, port, payload);
  return ether(0x0800, ipv4(index % 2 === 0 ? TCP : UDP, datagram));
});

/** No two of these give the same file. */
const CAPTURES: string[][] = ['pcap', 'pcapng'].flatMap((format) =>
  [[], ['-s', '70']].flatMap((snaplen) =>
    ['', 'tcp', 'udp port 81', 'greater 700'].map((filter) => ['-F', format, ...snaplen, ...(filter ? [filter] : [])]),
  ),
);

/** What was captured: the packets' bytes, and how long they were. */
function packetsIn(file: string): string[] {
  run('editcap', ['-F', 'nsecpcap', file, `${file}.plain`]);
  return readPcap(`${file}.plain`).packets.map(({ len, data }) => `${len} ${Buffer.from(data).toString('hex')}`);
}

/** Starts captures, plays all packets once, and returns what each file has. */
async function captureAll(t: Test, replay: Replay, all: readonly string[][], folder: string): Promise<string[][]> {
  const started = all.map(async (words, index) => {
    const file = join(folder, `${index}.out`);
    const own = [...AGENT, '-i', '0', '-Q', 'rx', '-B', '2048', '-w', file, ...words];
    return { file, running: await startCapture(replay.testpmd, own).started() };
  });
  const running = await Promise.all(started);
  await replay.play();
  const ended: { file: string; captured: Captured }[] = [];
  for (const one of running) ended.push({ file: one.file, captured: await one.running.stop() });
  for (const { captured } of ended) balances(t, captured);
  return ended.map(({ file }) => packetsIn(file));
}

t.test(`${CAPTURES.length} captures at once have what each has alone`, { skip }, async (t) => {
  const folder = t.testdir();
  const input = join(folder, 'in.pcap');
  writePcap(input, FRAMES);
  const replay = await startReplay([[input]], FRAMES.length, { env: { LD_PRELOAD: installedAgent() } });
  t.teardown(() => replay.testpmd.stop());
  const together = await captureAll(t, replay, CAPTURES, folder);
  for (const [index, words] of CAPTURES.entries()) {
    const [alone = []] = await captureAll(t, replay, [words], folder);
    t.ok(alone.length > 0, `something matches ${words.join(' ')}`);
    t.same(together[index], alone, words.join(' '));
  }
});

/** A testpmd of two processes, each of which polls a queue of its own. */
async function startBoth(t: Test, vdevs = ['net_null0', 'net_null1']): Promise<[Testpmd, Testpmd]> {
  const words = (id: number): string[] => ['--rxq=2', '--txq=2', '--num-procs=2', `--proc-id=${id}`];
  const primary = await startWithAgent('LD_PRELOAD', { vdevs, args: words(0), cores: '0,1' });
  t.teardown(() => primary.stop());
  const secondary = await startSecondaryWithAgent(primary, { vdevs: [], args: words(1), cores: '0,1' });
  t.teardown(() => secondary.kill('SIGTERM', { keepFiles: true }));
  await primary.command('start');
  await secondary.command('start');
  return [primary, secondary];
}

/** Packets of a queue that were captured. */
function ofQueue({ final }: Captured, queue: number): number {
  const lanes = final?.ports.filter((lane) => lane.queue === queue) ?? [];
  return lanes.reduce((sum, lane) => sum + lane.written, 0);
}

t.test('the queues of a primary and of a secondary, in one file', { skip }, async (t) => {
  const [primary, secondary] = await startBoth(t);
  const words = [...AGENT, '-i', '0', '-Q', 'rx', '-w', '/dev/null'];
  // The two share a CPU, a few milliseconds each.
  const captured = await capture(primary, [...words, '-c', '5000000']);
  balances(t, captured);
  t.ok(ofQueue(captured, 0) > 0 && ofQueue(captured, 1) > 0, 'both');
  const { stderr } = await capture(primary, [...words, '-c', '1', '--stats', 'text']);
  t.match(stderr, `pid ${primary.pid}, DPDK`);
  t.match(stderr, `through its agent and of pid ${secondary.pid}`);
  await isForwarding(t, primary, 'the primary');
  await isForwarding(t, secondary, 'the secondary');
});

t.test('a secondary that dies takes its queue with it, and nothing else', { skip }, async (t) => {
  const [primary, secondary] = await startBoth(t);
  const file = join(t.testdir(), 'x.pcap');
  const running = await startCapture(primary, [...AGENT, '-i', '0', '-Q', 'rx', '-w', file]).started();
  await running.written(1);
  await secondary.kill('SIGKILL', { keepFiles: true });
  const { packets } = await running.written(1);
  const { packets: later } = await running.written(packets + 100_000);
  const captured = await running.stop();
  t.match(captured, { code: 0 });
  t.ok((captured.final?.packets ?? 0) >= later, 'the primary goes on');
  t.equal(readFileSync(file).length > 0, true);
  await isForwarding(t, primary, 'the primary');
});

t.test('a secondary that is stopped holds nobody up', { skip }, async (t) => {
  const [primary, secondary] = await startBoth(t);
  const words = [...AGENT, '-i', '0', '-Q', 'rx', '-w', '/dev/null'];
  const running = await startCapture(primary, [...words, '--stats-interval', '100ms']).started();
  // About one time in four it is stopped inside the agent's callback.
  for (let times = 0; times < 12; times++) {
    process.kill(secondary.pid, 'SIGSTOP');
    const { packets } = await running.next();
    await running.written(packets + 5_000_000);
    process.kill(secondary.pid, 'SIGCONT');
  }
  const captured = await running.stop();
  t.match(captured, { code: 0 });
  balances(t, captured);
  process.kill(secondary.pid, 'SIGSTOP');
  const without = await capture(primary, [...words, '-c', '100', '--stats', 'text']);
  process.kill(secondary.pid, 'SIGCONT');
  t.match(without, { code: 0, stderr: `pid ${secondary.pid} is left out: the agent does not answer` });
  t.equal(ofQueue(without, 1), 0);
  await isForwarding(t, primary, 'the primary');
  await isForwarding(t, secondary, 'the secondary');
});

t.test('ping and curl through a primary and a secondary', { skip: skip || noBridge }, async (t) => {
  const bridge = bridgeTwoNamespaces();
  t.teardown(() => bridge.close());
  const taps = tapsBetween(bridge);
  t.teardown(() => taps.close());
  const [primary] = await startBoth(t, taps.vdevs);
  taps.join();
  await isWhatTcpdumpSees(t, bridge, primary.prefix, '0', AGENT);
});
