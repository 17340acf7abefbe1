/** Packets that go to another program: live, and without hanging when it stalls or leaves. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { isByProbes } from '../harness/defaults.js';
import {
  accountingErrors,
  balances,
  bridgeTwoNamespaces,
  isForwarding,
  isUnharmed,
  type Namespace,
  type Running,
  remember,
  requirements,
  run,
  start,
  startCapture,
  startDpcap,
  startPipeline,
  startTestpmd,
  tcpdumpLines,
  total,
  underLoad,
} from '../harness/index.js';

const skip = requirements({ hugepagesMb: 256, namespaces: true, tools: ['mkfifo', 'script'] });
const PINGS = 8;

/**
 * Pings, one after the other, and looks how long after the answer each one's line is printed.
 * @returns milliseconds
 */
async function delays(
  from: Namespace,
  to: Namespace,
  reader: Running,
  line: (ping: number) => RegExp,
): Promise<number[]> {
  const seen: number[] = [];
  for (let ping = 1; ping <= PINGS; ping++) {
    from.run('ping', ['-c1', '-W2', '-s', String(100 + ping), to.address]);
    const answered = performance.now();
    await reader.expect(line(ping), { stream: 'stdout' });
    seen.push(performance.now() - answered);
  }
  return seen;
}

/** The machine is shared: one that is quick shows that nothing holds packets back by design. */
function isLive(t: Test, seen: number[], what: string): void {
  const quickest = Math.min(...seen);
  t.ok(quickest < 100, `${what}: shown ${seen.map(Math.round).join(', ')} ms after the reply`);
}

t.test('live, at a low rate', { skip }, async (t) => {
  const bridge = bridgeTwoNamespaces();
  t.teardown(() => bridge.close());
  const testpmd = await startTestpmd({ vdevs: bridge.vdevs });
  t.teardown(() => testpmd.stop());
  await testpmd.command('start');
  const before = await remember(testpmd);
  const length = (ping: number): RegExp => new RegExp(`ICMP echo reply.*length ${108 + ping}\\n`);
  const measure = (reader: Running, line = length): Promise<number[]> => delays(bridge.a, bridge.b, reader, line);

  for (const format of ['pcap', 'pcapng']) {
    const reader = startPipeline(testpmd, ['-i', '0', '-F', format, '-w', '-', 'icmp'], 'tcpdump -lnn -Z root -r -');
    await reader.started();
    isLive(t, await measure(reader.shell), `tcpdump, ${format}`);
    await reader.signal('SIGINT');
    const captured = await reader.finished();
    balances(t, captured);
    t.match((await reader.shell.wait()).stdout.trim().split('\n').length, 2 * PINGS, 'all came through');
  }

  const tshark = startPipeline(
    testpmd,
    ['-i', '0', '-w', '-', 'icmp'],
    'tshark -ln -r - -T fields -e frame.len -e icmp.type',
  );
  await tshark.started();
  isLive(t, await measure(tshark.shell, (ping) => new RegExp(`^${142 + ping}\\t0$`, 'm')), 'tshark');
  await tshark.signal('SIGTERM');
  balances(t, await tshark.finished());
  await tshark.shell.wait();

  const printed = startDpcap(['--file-prefix', testpmd.prefix, '-i', '0', 'icmp']);
  await printed.expect(/dpcap: capturing on 0 \(net_af_packet0\)/, { stream: 'stderr' });
  isLive(t, await measure(printed), 'without -w');
  const finished = await printed.stop();
  t.match(finished, { code: 0, stderr: /16 packets captured/ });
  t.match(finished.stdout, /^[0-9:.]+ IP 10\.77\.0\.1 > 10\.77\.0\.2: ICMP echo request, id \d+, seq 1, length 109\n/);
  t.equal(finished.stdout.trim().split('\n').length, 2 * PINGS, 'standard output has the packets and nothing else');

  const precise = startDpcap([
    '--file-prefix',
    testpmd.prefix,
    '-i',
    '0',
    '--time-precision',
    'nano',
    '-c',
    '1',
    'icmp',
  ]);
  await precise.expect(/dpcap: capturing/, { stream: 'stderr' });
  bridge.a.run('ping', ['-c1', '-W2', bridge.b.address]);
  t.match(await precise.wait(), { code: 0, stdout: /^[0-9:]+\.\d{9} IP / });
  await isUnharmed(t, testpmd, before, 'streams');
});

t.test('a running count on a terminal, but not among printed packets', { skip }, async (t) => {
  const testpmd = await startTestpmd({ vdevs: ['net_null0'] });
  t.teardown(() => testpmd.stop());
  const words = `--file-prefix ${testpmd.prefix} -i 0 -a duration:1 --stats-interval 0.1`;
  const onTerminal = async (more: string): Promise<string> => {
    const command = `${process.execPath} bin/dpcap.cjs ${words} ${more}`;
    const { code, stdout } = await start('script', ['-qec', command, '/dev/null']).wait();
    t.equal(code, 0, stdout);
    return stdout;
  };
  const count = /0 packets, 0 B; .*lost: nombuf/;
  t.match(await onTerminal('-w /dev/null'), count);
  const printed = await onTerminal('');
  t.notMatch(printed, count);
  t.match(printed, /0 packets captured/);
});

t.test('readers that leave', { skip }, async (t) => {
  const testpmd = await startTestpmd({ vdevs: ['net_null0', 'net_null1'] });
  t.teardown(() => testpmd.stop());
  const before = await remember(testpmd);

  const idle = startPipeline(testpmd, ['-i', '0', '-w', '-'], 'head -c 24 >/dev/null');
  const unread = await idle.finished();
  balances(t, unread);
  t.equal(unread.final?.stop_reason, 'reader closed', 'noticed although no packet came');

  await testpmd.command('start');
  for (const format of ['pcap', 'pcapng']) {
    const busy = startPipeline(testpmd, ['-i', '0', '-F', format, '-w', '-'], 'head -c 5000000 >/dev/null');
    const captured = await busy.finished();
    balances(t, captured);
    t.match(captured, { messages: /^\s*$/, final: { stop_reason: 'reader closed' } }, `${format}: quietly`);
    t.ok((captured.final?.packets ?? 0) > 0);
  }
  const printing = startPipeline(testpmd, ['-i', '0'], 'head -1');
  t.match(await printing.finished(), { code: 0, stdout: /^[0-9:.]+ / }, 'dpcap | head -1');
  await isUnharmed(t, testpmd, before, 'readers that left');
});

t.test('readers that are slow, or stall', { skip }, async (t) => {
  const testpmd = await startTestpmd({ vdevs: ['net_null0', 'net_null1'] });
  t.teardown(() => testpmd.stop());
  const before = await remember(testpmd);
  await testpmd.command('start');

  // Overload on purpose: little memory, and a reader that takes a part of what comes.
  const slow = 'for i in 1 2 3 4 5 6 7 8 9; do head -c 2000000 >/dev/null; sleep 0.05; done; exec cat >/dev/null';
  const overloaded = startPipeline(testpmd, ['-i', 'any', '-B', '2048', '-w', '-'], slow);
  await overloaded.written(100_000);
  await overloaded.signal('SIGINT');
  const captured = await overloaded.finished();
  balances(t, captured);
  const lost = total(captured, 'nombuf') + total(captured, 'ringfull');
  t.ok(lost > 0 || isByProbes, `${lost} packets found no memory`); // probes slow the application down to what is taken

  for (const args of [
    ['-i', '0'],
    ['-i', 'any', '--threads', '2'],
  ]) {
    const stalled = startPipeline(testpmd, [...args, '-B', '2048', '-w', '-'], 'exec sleep 600');
    await stalled.written(1);
    await stalled.signal('SIGINT');
    const ended = await stalled.finished(15_000);
    t.same(accountingErrors(ended), []);
    t.match(ended, { code: 1, messages: /standard output.*ETIMEDOUT/ }, 'a stalled reader does not hang Ctrl-C');
    await stalled.close();
  }
  await isUnharmed(t, testpmd, before, 'slow readers');
  await isForwarding(t, testpmd, 'slow readers');
});

t.test('a FIFO', { skip }, async (t) => {
  const testpmd = await underLoad(t);
  const fifo = join(t.testdir(), 'fifo');
  run('mkfifo', [fifo]);
  const reader = start('sh', ['-c', `cat ${fifo} > ${fifo}.read`]);
  const captured = await startCapture(testpmd, ['-i', '0', '-c', '1000', '-w', fifo]).ended();
  t.match(captured, { code: 0, final: { packets: 1000 } }, captured.messages);
  t.same(accountingErrors(captured), []);
  await reader.wait();
  t.equal(tcpdumpLines(`${fifo}.read`).length, 1000);
  t.ok(existsSync(fifo), 'it is still there');

  const unread = startDpcap(['--file-prefix', testpmd.prefix, '-i', '0', '-w', fifo, '--log-level', 'debug']);
  await unread.expect(/engine started/);
  t.match(await unread.stop('SIGINT', 5000), { signal: null }, 'one that nobody reads does not hang Ctrl-C');
});
