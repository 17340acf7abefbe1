import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  bridgeTwoNamespaces,
  clearLeftovers,
  lastingLeftovers,
  leftovers,
  readPcap,
  requirements,
  run,
  start,
  startHttpServer,
  startTestpmd,
  tcpdumpLines,
  uniqueName,
  writePcap,
} from '../harness/index.js';

const HARNESS = new URL('../harness/index.js', import.meta.url).href;
const NULL_PORTS = ['net_null0', 'net_null1'];
const skip = requirements({ namespaces: true });

t.test('a testpmd forwards, answers, quits and leaves nothing', { skip }, async (t) => {
  const testpmd = await startTestpmd({ vdevs: NULL_PORTS });
  t.ok(testpmd.alive());
  t.ok(existsSync(`/var/run/dpdk/${testpmd.prefix}/config`));
  const before = await testpmd.snapshot();
  t.ok(before.memzones.includes('rte_pdump_stats'), 'it can be captured from');
  t.same(before.mempools, ['mb_pool_0']);
  t.same(before.rings, ['MP_mb_pool_0']);
  await testpmd.command('start', /io packet forwarding/);
  const first = await testpmd.forwarding();
  t.ok((await testpmd.forwarded(first.txPackets + 1)).rxPackets > first.rxPackets, 'packets flow');
  t.match(await testpmd.command('port attach net_null9'), /Port 2 is attached/);
  t.match(await testpmd.command('show port summary all'), /net_null9/);
  await t.rejects(testpmd.command('stop', /no such words/), /no such words/);
  t.ok((await testpmd.heapMb()) > 0);
  t.same(await testpmd.stop(), { code: 0, signal: null });
  t.notOk(testpmd.alive());
  t.same(await testpmd.stop(), { code: 0, signal: null }, 'a second stop is harmless');
  t.same(leftovers(), []);
});

t.test('two testpmds side by side do not mind each other', { skip }, async (t) => {
  const both = await Promise.all([startTestpmd({ vdevs: NULL_PORTS }), startTestpmd({ vdevs: NULL_PORTS })]);
  t.not(both[0].prefix, both[1].prefix);
  await Promise.all(both.map((testpmd) => testpmd.stop()));
  t.same(leftovers(), []);
});

t.test('a killed testpmd leaves nothing either', { skip }, async (t) => {
  const testpmd = await startTestpmd({ vdevs: NULL_PORTS });
  t.same(await testpmd.kill(), { code: null, signal: 'SIGKILL' });
  await t.rejects(testpmd.expect(/never printed/), /the process ended/);
  t.same(leftovers(), []);
});

t.test('a testpmd that cannot start says why', { skip }, async (t) => {
  await t.rejects(startTestpmd({ vdevs: ['net_nonesuch0'] }), /net_nonesuch0/);
  t.same(leftovers(), []);
});

t.test('net_pcap replays a file through the primary', { skip }, async (t) => {
  const folder = t.testdir();
  const [input, output] = [join(folder, 'in.pcap'), join(folder, 'out.pcap')];
  const frames = Array.from({ length: 100 }, (_, index) => new Uint8Array(60 + index).fill(index));
  writePcap(input, frames);
  const vdevs = [`net_pcap0,rx_pcap=${input},tx_pcap=/dev/null`, `net_pcap1,rx_pcap=${input},tx_pcap=${output}`];
  const testpmd = await startTestpmd({ vdevs });
  await testpmd.command('start');
  await testpmd.forwarded(frames.length, 1);
  await testpmd.stop();
  const packets = readPcap(output).packets;
  t.same(
    packets.map((packet) => packet.data),
    frames.map((frame) => Buffer.from(frame)),
  );
});

t.test('ping and HTTP cross the primary that bridges two namespaces', { skip }, async (t) => {
  const bridge = bridgeTwoNamespaces();
  const testpmd = await startTestpmd({ vdevs: bridge.vdevs });
  t.throws(() => bridge.a.run('ping', ['-c1', '-W1', bridge.b.address]), 'no way across before it forwards');
  await testpmd.command('start');
  const file = join(t.testdir(), 'seen.pcap');
  const tcpdump = bridge.a.start('tcpdump', ['-Z', 'root', '--immediate-mode', '-i', 'eth0', '-w', file]);
  await tcpdump.expect(/listening on/);
  // One by one: after a first reply, ping waits for the others no longer than two round trips, however busy the host.
  for (let count = 0; count < 3; count++) bridge.a.run('ping', ['-c1', '-W5', bridge.b.address]);
  bridge.a.run('ping', ['-c1', '-W5', bridge.b.address6]);
  const body = 'x'.repeat(100_000);
  const server = await startHttpServer(bridge.b, body);
  t.equal(bridge.a.run('curl', ['-sf', '--max-time', '10', server.url]), body);
  await server.stop();
  await tcpdump.stop();
  t.equal(tcpdumpLines(file, 'icmp').length, 6);
  t.match(tcpdumpLines(file, 'tcp')[0], /Flags \[S\]/);
  await testpmd.stop();
  bridge.close();
  t.same(leftovers(), []);
});

t.test('a test that dies takes its testpmd and namespaces along', { skip }, async (t) => {
  const script = `const h = await import(${JSON.stringify(HARNESS)});
    await h.startTestpmd({ vdevs: h.bridgeTwoNamespaces().vdevs });
    console.log('up');`;
  const endings = [
    ['an exception', 'throw new Error("dies")'],
    ['process.exit', 'process.exit(3)'],
    ['SIGTERM', 'process.kill(process.pid, "SIGTERM"); await new Promise(() => setInterval(() => {}, 1000))'],
  ] as const;
  for (const [name, ending] of endings) {
    const test = start(process.execPath, ['--input-type=module', '-e', `${script}\n${ending}`]);
    const exit = await test.wait();
    t.match(exit.stdout, /up/, name);
    t.not(exit.code, 0, name);
    t.same(await lastingLeftovers(test.pid), [], name);
  }
});

t.test('what is left behind is found', { skip }, async (t) => {
  const name = uniqueName();
  mkdirSync(`/var/run/dpdk/${name}`, { recursive: true });
  run('ip', ['netns', 'add', name]);
  const sleeper = start('sleep', ['100']);
  const left = leftovers();
  t.equal(left.length, 3);
  t.match(left, [`runtime directory /var/run/dpdk/${name}`, `network namespace ${name}`, /process \d+: sleep 100/]);
  t.notOk(leftovers(1).length, 'of somebody else there is nothing');
  clearLeftovers(process.pid);
  await sleeper.exited;
  t.same(leftovers(), []);
});
