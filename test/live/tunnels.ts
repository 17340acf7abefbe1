/** Captures into tunnels: a collector on another host has each packet, and reads of it what it cannot see. */
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { startWithAgent } from '../harness/agent.js';
import { COLLECTOR, COLLECTOR_V6, type Collector, HOST, joinCollector } from '../harness/collector.js';
import { bySequence, isWholeErspan } from '../harness/erspan.js';
import {
  balances,
  isUnharmed,
  readPcap,
  remember,
  requirements,
  startTestpmd,
  type Testpmd,
  total,
  tsharkFields,
  writePcap,
} from '../harness/index.js';
import { ether, forTunnels, ipv4, udp } from '../helpers/frames.js';

const skip = requirements({ hugepagesMb: 256, namespaces: true, tools: ['nsenter'] });

const FRAMES = forTunnels(60, 20);

const BACKENDS = {
  pdump: startTestpmd,
  agent: (options: Parameters<typeof startTestpmd>[0]) => startWithAgent('LD_PRELOAD', options),
};

interface Scene {
  net: Collector;
  testpmd: Testpmd;
  folder: string;
}

/** A testpmd that sends out of port 0 what it receives there from a file, and the two hosts. */
async function replaying(t: Test, via: keyof typeof BACKENDS, frames: readonly Uint8Array[] = FRAMES): Promise<Scene> {
  const folder = t.testdir({});
  writePcap(join(folder, 'in.pcap'), frames);
  const net = joinCollector();
  t.teardown(() => net.close());
  const vdevs = [`net_pcap0,rx_pcap=${join(folder, 'in.pcap')},tx_pcap=${join(folder, 'sent.pcap')}`];
  const testpmd = await BACKENDS[via]({ vdevs });
  t.teardown(() => testpmd.stop());
  return { net, testpmd, folder };
}

/** Captures all that testpmd forwards into a tunnel. Returns the capture, and the file of what the collector saw. */
async function carried({ net, testpmd, folder }: Scene, args: string[], packets: number, on = 'in') {
  const file = join(folder, 'seen.pcap');
  const capture = await net.capture(testpmd, args).started();
  const recording = await net.record(on, file, packets, on === 'in' ? 'proto 47 or udp port 4789' : 'udp or vlan');
  await testpmd.command('start');
  await recording.wait();
  return { captured: await capture.stop(), file };
}

const dataOf = (file: string): Buffer[] => readPcap(file).packets.map(({ data }) => data);
/** Frames without their order: a thread that moves to another CPU between two sends may overtake itself on a veth. */
const sorted = (frames: readonly Uint8Array[]): Buffer[] =>
  frames.map((frame) => Buffer.from(frame)).sort((a, b) => a.length - b.length || Buffer.compare(a, b));
const upTo = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i));

/** Each with the bytes in front of a frame behind the outer IP header, and what tshark reads of every packet. */
const TUNNELS: [url: string, head: number, fields: Record<string, string>][] = [
  [
    `erspan://${COLLECTOR}?id=7&hwid=3`,
    28,
    { 'erspan.version': '2', 'erspan.spanid': '7', 'erspan.hw': '3', 'erspan.gra': '2' },
  ],
  [`erspan://${COLLECTOR}?id=7&time=short`, 20, { 'erspan.version': '2', 'erspan.o': '0', 'erspan.gra': '0' }],
  [`erspan://${COLLECTOR}?id=1023&version=2`, 16, { 'erspan.version': '1', 'erspan.spanid': '1023' }],
  [`gretap://${COLLECTOR}?key=4000000000`, 12, { 'gre.proto': '0x6558', 'gre.key': '0xee6b2800' }],
  [`vxlan://${COLLECTOR}?vni=9&src=${HOST}&mtu=1400`, 16, { 'vxlan.vni': '9' }],
  [`vxlan://[${COLLECTOR_V6}]?vni=9`, 16, { 'vxlan.vni': '9', 'ipv6.dst': COLLECTOR_V6 }],
];

for (const via of ['pdump', 'agent'] as const) {
  for (const [url, head, fields] of TUNNELS) {
    t.test(`${url} through ${via}`, { skip }, async (t) => {
      const scene = await replaying(t, via);
      const before = await remember(scene.testpmd);
      const words = ['--via', via, '-i', '0', '-Q', 'rx', '-w', url];
      const { captured, file } = await carried(scene, words, FRAMES.length);
      balances(t, captured);
      t.equal(captured.final?.packets, FRAMES.length);
      t.match(captured.stderr, /too long for one tunnel packet are cut/);

      const outer = 14 + (url.includes('[') ? 40 : 20) + head;
      const mtu = url.includes('mtu=1400') ? 1400 : 1500;
      const expected = FRAMES.map((frame) => frame.subarray(0, mtu + 14 - outer));
      t.same(
        sorted(dataOf(file).map((packet) => packet.subarray(outer))),
        sorted(expected),
        'byte for byte, and cut where it must be',
      );
      t.equal(
        captured.final?.bytes,
        expected.reduce((sum, { length }) => sum + length, 0),
        'what was cut off is not counted',
      );
      for (const [name, value] of Object.entries(fields)) {
        const values = new Set(tsharkFields(file, [name]).map(([text = '']) => text.split(',')[0]));
        t.same([...values], [value], name);
      }
      await isUnharmed(t, scene.testpmd, before, 'carried off');
    });
  }

  t.test(`direction, time, sequence and cut frames of ERSPAN through ${via}`, { skip }, async (t) => {
    const scene = await replaying(t, via);
    const begin = Date.now() / 1000;
    const words = ['--via', via, '-i', '0', '-w', `erspan://${COLLECTOR}?id=5`];
    const { captured, file } = await carried(scene, words, 2 * FRAMES.length);
    balances(t, captured);
    isWholeErspan(t, file, FRAMES.length, begin);
  });
}

for (const via of ['pdump', 'agent'] as const) {
  t.test(`frames that -s cuts are marked, through ${via}`, { skip }, async (t) => {
    const scene = await replaying(t, via);
    const words = ['--via', via, '-i', '0', '-Q', 'rx', '-s', '500', '-w', `erspan://${COLLECTOR}?id=5`];
    const { captured, file } = await carried(scene, words, FRAMES.length);
    balances(t, captured);
    const packets = bySequence(tsharkFields(file, ['gre.sequence_number', 'erspan.truncated', 'frame.len']));
    const expected = FRAMES.map(({ length }, i) => [`${i}`, length > 500 ? '1' : '0', `${62 + Math.min(500, length)}`]);
    t.same(packets, expected);
    t.notMatch(captured.stderr, /are cut/, 'which the user has asked for');
  });
}

t.test("the kernel's own ends of tunnels receive the frames", { skip }, async (t) => {
  const short = FRAMES.slice(0, -1);
  const ends: [kind: string, url: string, words: string[]][] = [
    ['vxlan', `vxlan://${COLLECTOR}?vni=9`, ['id', '9', 'dstport', '4789', 'local', COLLECTOR]],
    ['gretap', `gretap://${COLLECTOR}?key=9`, ['local', COLLECTOR, 'remote', HOST, 'key', '9']],
    [
      'erspan',
      `erspan://${COLLECTOR}?id=9&version=2`,
      ['local', COLLECTOR, 'remote', HOST, 'seq', 'key', '9', 'erspan_ver', '1'],
    ],
    [
      'erspan',
      `erspan://${COLLECTOR}?id=9&time=short`,
      ['local', COLLECTOR, 'remote', HOST, 'seq', 'key', '9', 'erspan_ver', '2'],
    ],
  ];
  for (const [kind, url, words] of ends) {
    await t.test(url, async (t) => {
      const scene = await replaying(t, 'pdump', short);
      const { ip, collector } = scene.net;
      scene.net.answer();
      try {
        ip(collector, 'link', 'add', 'end', 'type', kind, ...words);
      } catch (error) {
        t.match(error, /Unknown device type|not supported/, `this kernel has no ${kind}`);
        return;
      }
      ip(collector, 'link', 'set', 'end', 'addrgenmode', 'none', 'up');
      const { captured, file } = await carried(scene, ['-i', '0', '-Q', 'rx', '-w', url], short.length, 'end');
      balances(t, captured);
      t.same(sorted(dataOf(file)), sorted(short));
    });
  }
});

t.test('two captures are told apart by id, and two ports of one by their index', { skip }, async (t) => {
  const folder = t.testdir({});
  const net = joinCollector();
  t.teardown(() => net.close());
  const vdevs = [0, 1, 2].map((port) => {
    writePcap(join(folder, `${port}.pcap`), FRAMES.slice(0, 10 + port));
    return `net_pcap${port},rx_pcap=${join(folder, `${port}.pcap`)},tx_pcap=${join(folder, `${port}.sent.pcap`)}`;
  });
  const testpmd = await startTestpmd({ vdevs, args: ['--forward-mode=rxonly'] });
  t.teardown(() => testpmd.stop());
  const words = ['-Q', 'rx', '-B', '4096', '-w'];
  const one = await net.capture(testpmd, ['-i', '0', ...words, `erspan://${COLLECTOR}?id=1`]).started();
  const two = await net.capture(testpmd, ['-i', '1,2', ...words, `erspan://${COLLECTOR}?id=2`]).started();
  const file = join(folder, 'seen.pcap');
  const recording = await net.record('in', file, 10 + 11 + 12, 'proto 47');
  await testpmd.command('start');
  await recording.wait();
  for (const captured of [await one.stop(), await two.stop()]) balances(t, captured);
  const fields = ['gre.sequence_number', 'erspan.spanid', 'erspan.pid3.port_index'];
  const packets = bySequence(tsharkFields(file, fields));
  const sequences = (id: string): (string | undefined)[] =>
    packets.filter(([, span]) => span === id).map(([sequence]) => sequence);
  t.same([sequences('1'), sequences('2')], [upTo(10), upTo(23)]);
  const ports = ['0', '1', '2'].map((port) => packets.filter((packet) => packet[2] === port).length);
  t.same(ports, [10, 11, 12]);
});

t.test('a tunnel does not carry its own packets, and those of others it does', { skip }, async (t) => {
  const between = { src: HOST, dst: COLLECTOR };
  const tunnelled = (vni: number): Uint8Array =>
    ether(
      0x0800,
      ipv4(17, udp(50000, 4789, Uint8Array.from([8, 0, 0, 0, 0, 0, vni, 0, ...(FRAMES[0] as Uint8Array)])), between),
    );
  const frames = [FRAMES[0] as Uint8Array, tunnelled(5), tunnelled(6), FRAMES[1] as Uint8Array];
  const scene = await replaying(t, 'pdump', frames);
  const { captured, file } = await carried(scene, ['-i', '0', '-Q', 'rx', '-w', `vxlan://${COLLECTOR}?vni=5`], 3);
  balances(t, captured);
  const others = frames.filter((_, index) => index !== 1);
  t.same(sorted(dataOf(file).map((packet) => packet.subarray(50))), sorted(others));
  t.equal(total(captured, 'filtered'), 1);
  t.match(captured.stderr, /carry this tunnel's own packets: they are left out, and counted as filtered/);
});
