/** Mirrors of ports: what arrives at each target is, byte for byte, what passed at the source. */
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { hostAddon } from '../../src/native/addons.js';
import { startWithAgent } from '../harness/agent.js';
import { leftovers, readPcap, requirements, runDpcap, type Testpmd, writePcap } from '../harness/index.js';
import { addsUp, mirrorsUntil, setMirror } from '../harness/mirrors.js';
import { ether, ipv4, ipv6, MAC_A, MAC_B, tcp, udp, vxlan } from '../helpers/frames.js';

const skip = requirements({ hugepagesMb: 256 });
const [TCP, UDP] = [6, 17];
/** Some frames are from it, and some to it. */
const OWN_MAC = [0x02, 0, 0, 0, 0, 0x0f];

/** Of several lengths, to several ports, by two protocols; those of two ports differ. */
function frames(port: number): Buffer[] {
  return Array.from({ length: 300 }, (_, index) => {
    const payload = Buffer.alloc(10 + ((index * 131) % 1300), index + port);
    const datagram =
      index % 2 === 0 ? tcp(40000 + port, 80, 0x18, payload) : udp(40000 + port, 80 + (index % 5), payload);
    const [to, from] = [index % 10 === 5 ? OWN_MAC : MAC_B, index % 10 === 0 ? OWN_MAC : MAC_A];
    return Buffer.from(ether(0x0800, ipv4(index % 2 === 0 ? TCP : UDP, datagram), [], to, from));
  });
}

const RECEIVED = [frames(0), frames(1)];
const [FIRST = [], SECOND = []] = RECEIVED;
const isUdp = (frame: Buffer): boolean => frame[23] === UDP;
const hasOwnMac = (frame: Buffer): boolean =>
  [0, 6].some((at) => frame.subarray(at, at + 6).equals(Buffer.from(OWN_MAC)));
const tagged = (frame: Buffer): Buffer =>
  Buffer.concat([frame.subarray(0, 12), Buffer.from([0x81, 0x00, 0xa0, 0x64]), frame.subarray(12)]);

/** Ports 0 and 1 forward to each other what they replay; each of the others gets one mirror, or several. */
const MIRRORS: { words: string[]; target: number; expected: Buffer[] }[] = [
  { words: ['-i', '0', '-Q', 'rx'], target: 2, expected: FIRST },
  { words: ['-i', '0', '-Q', 'tx'], target: 3, expected: SECOND },
  { words: ['-i', 'net_pcap0', 'udp'], target: 4, expected: [...FIRST, ...SECOND].filter(isUdp) },
  { words: ['-i', '1', '-Q', 'rx', '-s', '60'], target: 5, expected: SECOND.map((frame) => frame.subarray(0, 60)) },
  { words: ['-i', '0', '-Q', 'rx', '--push-vlan', '100:5'], target: 6, expected: FIRST.map(tagged) },
  { words: ['-i', '0', '-Q', 'rx', '--proto', 'tcp'], target: 7, expected: FIRST.filter((one) => !isUdp(one)) },
  {
    words: ['-i', '1', '-Q', 'rx', 'ether', 'host', '02:00:00:00:00:0f'],
    target: 7,
    expected: SECOND.filter(hasOwnMac),
  },
];
const PORTS = 8;
const MTU = 600;
const HEAD_AND_TAGS = 22;
const UNUSED_QUEUE = 1;

interface Started {
  testpmd: Testpmd;
  /** What was sent on a port's queue; complete once the application has ended. */
  sent: (port: number, queue: number) => string[];
}

async function start(t: Test, received = RECEIVED): Promise<Started> {
  const folder = t.testdir();
  const sentTo = (port: number, queue: number): string => join(folder, `sent-${port}-${queue}.pcap`);
  const vdevs = Array.from({ length: PORTS }, (_, port) => {
    const input = join(folder, `in-${port}.pcap`);
    writePcap(input, received[port] ?? []);
    return `net_pcap${port},rx_pcap=${input},tx_pcap=${sentTo(port, 0)},tx_pcap=${sentTo(port, UNUSED_QUEUE)}`;
  });
  const args = ['--forward-mode=io', '--rxq=1', '--txq=2'];
  const testpmd = await startWithAgent('-d', { vdevs, args, memoryMb: 256 });
  t.teardown(() => testpmd.stop());
  const sent = (port: number, queue: number): string[] =>
    hex(readPcap(sentTo(port, queue)).packets.map(({ data }) => data));
  return { testpmd, sent };
}

function hex(all: readonly Uint8Array[]): string[] {
  return all.map((frame) => Buffer.from(frame).toString('hex'));
}

t.test('several mirrors at once', { skip }, async (t) => {
  const { testpmd, sent } = await start(t);
  for (const { words, target } of MIRRORS) {
    const mirror = await setMirror(testpmd, [...words, '--to-port', String(target)]);
    t.match(mirror, { state: 'on', targetPort: target, targetQueue: UNUSED_QUEUE }, words.join(' '));
  }
  await testpmd.command('start');
  const wanted = MIRRORS.reduce((sum, { expected }) => sum + expected.length, 0);
  const mirrors = await mirrorsUntil(
    testpmd,
    (all) => all.reduce((sum, { counters }) => sum + counters.matched, 0) >= wanted,
  );
  t.ok(mirrors.every(addsUp), 'each packet is accounted for');
  const socket = `/var/run/dpdk/${testpmd.prefix}/dpdk_telemetry.v2`;
  const told = JSON.parse(hostAddon().telemetry(socket, '/dpcap/mirrors', 2000))['/dpcap/mirrors'];
  for (const { id, counters, targetPort } of mirrors)
    t.match(told[id], { state: 'on', target_port: targetPort, sent: counters.sent }, `telemetry tells of ${id}`);
  t.equal(
    mirrors.reduce((sum, { counters }) => sum + counters.sent, 0),
    wanted,
    'all were sent',
  );
  t.match(await runDpcap(['mirror', 'clear', '--all', '--file-prefix', testpmd.prefix]), { code: 0 });
  t.match(await testpmd.stop(), { code: 0 });

  for (const target of new Set(MIRRORS.map((one) => one.target))) {
    const expected = MIRRORS.filter((one) => one.target === target).flatMap((one) => one.expected);
    t.same(sent(target, UNUSED_QUEUE).sort(), hex(expected).sort(), `byte for byte at port ${target}`);
  }
  t.same(sent(2, UNUSED_QUEUE), hex(FIRST), 'in their order');
  t.same([sent(1, 0), sent(0, 0)], [hex(FIRST), hex(SECOND)], 'the originals were forwarded untouched');
  t.same(leftovers(), []);
});

t.test('to a port of a smaller MTU', { skip }, async (t) => {
  const input = join(t.testdir(), 'in.pcap');
  writePcap(input, FIRST);
  const testpmd = await startWithAgent('-d', {
    vdevs: [`net_pcap0,rx_pcap=${input}`, 'net_null1', 'net_null2'],
    args: ['--rxq=1', '--txq=1'],
    memoryMb: 192,
  });
  t.teardown(() => testpmd.stop());
  await testpmd.command('set portlist 0');
  for (const port of [1, 2]) {
    await testpmd.command(`port stop ${port}`);
    await testpmd.command(`port config mtu ${port} ${MTU}`);
    await testpmd.command(`port start ${port}`);
  }
  const words = ['mirror', 'set', '--file-prefix', testpmd.prefix, '--lease', '5m', '-i', '0', '-Q', 'rx'];
  const shared = ['--by-reference', '--accept', 'rewrites,buffers,tags'];
  t.match(await runDpcap([...words, '--to-port', '1']), { code: 0, stderr: /longer copies are cut/ });
  t.match(await runDpcap([...words, '--to-port', '2', ...shared]), { code: 0, stderr: /longer packets are refused/ });
  await testpmd.command('set fwd rxonly');
  await testpmd.command('start');
  const mirrors = await mirrorsUntil(testpmd, (all) => all.every(({ counters }) => counters.matched === FIRST.length));
  const long = FIRST.filter(({ length }) => length > MTU + HEAD_AND_TAGS).length;
  t.match(mirrors, [
    { counters: { sent: FIRST.length, cut: long, refused: 0 } },
    { counters: { sent: FIRST.length - long, cut: 0, refused: long } },
  ]);
  t.ok(long > 0 && mirrors.every(addsUp), 'each packet is accounted for');
});

/** Of different kinds, in turn. */
const KINDS = [
  (payload: Buffer) => ether(0x0800, ipv4(TCP, tcp(1000, 443, 0x18, payload), { src: '192.0.2.1', dst: '192.0.2.2' })),
  (payload: Buffer) => ether(0x0800, ipv4(TCP, tcp(1000, 443, 0x18, payload), { src: '192.0.2.2', dst: '192.0.2.1' })),
  (payload: Buffer) => ether(0x0800, ipv4(UDP, udp(1000, 53, payload)), [{ tpid: 0x8100, vid: 100 }]),
  (payload: Buffer) =>
    ether(0x0800, ipv4(UDP, vxlan(9, ether(0x0800, ipv4(UDP, udp(7, 8, payload), { src: '192.0.2.1' }))))),
  (payload: Buffer) => ether(0x86dd, ipv6(UDP, udp(1000, 53, payload))),
];
const MIXED = Array.from({ length: 200 }, (_, i) =>
  Buffer.from((KINDS[i % KINDS.length] as (payload: Buffer) => Uint8Array)(Buffer.alloc(20 + i, i))),
);
const FLOW = '--proto tcp --src-host 192.0.2.1 --src-port 1000 --dst-host 192.0.2.2 --dst-port 443'.split(' ');
/** The words of a filter, and the kinds that it selects. */
const SELECTED: [words: string[], kinds: number[]][] = [
  [FLOW, [0]],
  [
    ['--host', '192.0.2.1'],
    [0, 1],
  ],
  [['--vlan', '100'], [2]],
  [['--inner', '--host', '192.0.2.1'], [3]],
  [['--net', '2001:db8::/32'], [4]],
];

t.test('what filters select', { skip }, async (t) => {
  const { testpmd, sent } = await start(t, [MIXED]);
  for (const [at, [words]] of SELECTED.entries())
    await setMirror(testpmd, ['-i', '0', '-Q', 'rx', '--to-port', String(2 + at), ...words]);
  await testpmd.command('start');
  const mirrors = await mirrorsUntil(testpmd, (all) =>
    all.every(({ counters }) => counters.matched + counters.filtered === MIXED.length),
  );
  t.ok(mirrors.every(addsUp), 'each packet is accounted for');
  t.match(await runDpcap(['mirror', 'clear', '--all', '--file-prefix', testpmd.prefix]), { code: 0 });
  t.match(await testpmd.stop(), { code: 0 });
  for (const [at, [words, kinds]] of SELECTED.entries()) {
    const expected = MIXED.filter((_, i) => kinds.includes(i % KINDS.length));
    t.same(sent(2 + at, UNUSED_QUEUE), hex(expected), words.join(' '));
  }
});

t.test('by reference, with the dangers that were taken by name', { skip }, async (t) => {
  const { testpmd, sent } = await start(t);
  const available = await testpmd.available();
  const words = ['-i', '0', '--to-port', '2', '--by-reference'];
  const refused = await runDpcap(['mirror', 'set', '--file-prefix', testpmd.prefix, '--lease', '1m', ...words]);
  t.match(refused, { code: 1, stderr: /shared mbufs: [\s\S]*--accept rewrites,buffers,tags,offloads/ });
  const cut = ['--accept', 'rewrites,buffers,tags,offloads', '-s', '60'];
  const impossible = await runDpcap([
    'mirror',
    'set',
    '--file-prefix',
    testpmd.prefix,
    '--lease',
    '1m',
    ...words,
    ...cut,
  ]);
  t.match(impossible, { code: 2, stderr: /neither cut nor tagged/ });
  await setMirror(testpmd, [...words, '--accept', 'rewrites,buffers,tags,offloads']);
  await testpmd.command('start');
  const wanted = FIRST.length + SECOND.length;
  const [mirror] = await mirrorsUntil(testpmd, ([one]) => (one?.counters.matched ?? 0) >= wanted);
  t.ok(mirror && addsUp(mirror) && mirror.counters.sent === wanted, 'all were sent');
  t.match(await runDpcap(['mirror', 'clear', '--all', '--file-prefix', testpmd.prefix]), { code: 0 });
  await testpmd.command('stop');
  t.same(await testpmd.available(), available, 'every mbuf of the application is back');
  t.match(await testpmd.stop(), { code: 0 });
  t.same(sent(2, UNUSED_QUEUE).sort(), hex([...FIRST, ...SECOND]).sort(), 'byte for byte');
  t.same([sent(1, 0), sent(0, 0)], [hex(FIRST), hex(SECOND)], 'the originals were forwarded untouched');
});
