/** Mirrors into tunnels out of a port of the application: a collector on another host has each packet that passed at the source. */
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { hostAddon } from '../../src/native/addons.js';
import { startWithAgent } from '../harness/agent.js';
import { COLLECTOR, COLLECTOR_V6, type Collector, HOST, joinCollector } from '../harness/collector.js';
import { isWholeErspan } from '../harness/erspan.js';
import {
  leftovers,
  readPcap,
  requirements,
  runDpcap,
  type Testpmd,
  tsharkFields,
  writePcap,
} from '../harness/index.js';
import { addsUp, mirrorsOf, mirrorsUntil, setMirror } from '../harness/mirrors.js';
import { run } from '../harness/processes.js';
import { ether, forTunnels, ipv4, udp } from '../helpers/frames.js';

const skip = requirements({ hugepagesMb: 256, namespaces: true, tools: ['nsenter', 'tshark'] });
const NEXT_HOP = '02:00:00:00:00:09';
const SOURCE_V6 = '2001:db8::1';

const TO_PORT_53 = 40;
const FRAMES = forTunnels(TO_PORT_53, 30);
const tagged = (frame: Uint8Array): Uint8Array =>
  Uint8Array.from([...frame.subarray(0, 12), 0x81, 0x00, 0xa0, 0x64, ...frame.subarray(12)]);
const hex = (all: readonly Uint8Array[]): string[] => all.map((frame) => Buffer.from(frame).toString('hex'));
/** Without their order: a thread that moves to another CPU between two sends may overtake itself on a veth. */
const sorted = (all: readonly Uint8Array[]): string[] => hex(all).sort();
const dataOf = (file: string): Buffer[] => readPcap(file).packets.map(({ data }) => data);

interface Scene {
  net: Collector;
  testpmd: Testpmd;
  folder: string;
}

/** A testpmd on one host, which receives the frames at port 0, and whose port 1 is wired to the collector's. */
async function onHost(t: Test, frames: readonly Uint8Array[], devargs: string, mode: string): Promise<Scene> {
  const folder = t.testdir({});
  writePcap(join(folder, 'in.pcap'), frames);
  const net = joinCollector();
  t.teardown(() => net.close());
  const vdevs = [`net_pcap0,rx_pcap=${join(folder, 'in.pcap')}${devargs}`, 'net_af_packet1,iface=out'];
  const within = ['nsenter', `--net=/run/netns/${net.host}`];
  const testpmd = await startWithAgent('LD_PRELOAD', {
    vdevs,
    args: [`--forward-mode=${mode}`],
    memoryMb: 192,
    within,
  });
  t.teardown(() => testpmd.stop());
  return { net, testpmd, folder };
}

/** Each with which packets it is, by their first bytes, how many bytes stand before a frame, and what tshark reads of each. */
interface Tunnel {
  url: string;
  head: number;
  is: (packet: Buffer) => boolean;
  fields: Record<string, string>;
  directions?: 'both';
  /** Further words, and the frames that are in the tunnel then. */
  words?: string[];
  frames?: Uint8Array[];
}

const greOf =
  (flags: number, type: number) =>
  (packet: Buffer): boolean =>
    packet[23] === 47 && packet.readUInt16BE(34) === flags && packet.readUInt16BE(36) === type;
const gretapOf =
  (key: number) =>
  (packet: Buffer): boolean =>
    greOf(0x3000, 0x6558)(packet) && packet.readUInt32BE(38) === key;
const vxlanOf =
  (type: number) =>
  (packet: Buffer): boolean =>
    packet.readUInt16BE(12) === type && packet[type === 0x0800 ? 23 : 20] === 17;
const FROM = `src=${HOST}`;
const OUTER = { 'ip.src': HOST, 'ip.dst': COLLECTOR, 'eth.dst': NEXT_HOP };
const TUNNELS: Tunnel[] = [
  {
    url: `erspan://${COLLECTOR}?id=7&hwid=3&${FROM}`,
    head: 62,
    is: greOf(0x1000, 0x22eb),
    fields: { 'erspan.version': '2', 'erspan.spanid': '7', 'erspan.hw': '3', 'erspan.gra': '2', ...OUTER },
    directions: 'both',
  },
  {
    url: `erspan://${COLLECTOR}?id=1023&version=2&${FROM}`,
    head: 50,
    is: greOf(0x1000, 0x88be),
    fields: { 'erspan.version': '1', 'erspan.spanid': '1023', ...OUTER },
  },
  {
    url: `gretap://${COLLECTOR}?key=4000000000&ttl=9&${FROM}`,
    head: 46,
    is: gretapOf(4000000000),
    fields: { 'gre.proto': '0x6558', 'gre.key': '0xee6b2800', 'ip.ttl': '9', ...OUTER },
  },
  {
    url: `gretap://${COLLECTOR}?key=5&${FROM}`,
    head: 46,
    is: gretapOf(5),
    fields: { 'gre.key': '0x00000005', 'vlan.id': '100', ...OUTER },
    words: ['-s', '60', '--push-vlan', '100:5', 'udp', 'dst', 'port', '53'],
    frames: FRAMES.slice(0, TO_PORT_53).map((frame) => tagged(frame.subarray(0, 60))),
  },
  {
    url: `vxlan://${COLLECTOR}?vni=9&mtu=1400&dscp=46&${FROM}`,
    head: 50,
    is: vxlanOf(0x0800),
    fields: { 'vxlan.vni': '9', 'ip.dsfield.dscp': '46', ...OUTER },
  },
  {
    url: `vxlan://[${COLLECTOR_V6}]?vni=9&src=${SOURCE_V6}`,
    head: 70,
    is: vxlanOf(0x86dd),
    fields: { 'vxlan.vni': '9', 'ipv6.src': SOURCE_V6, 'ipv6.dst': COLLECTOR_V6, 'eth.dst': NEXT_HOP },
  },
];

function framesOf({ frames = FRAMES, directions }: Tunnel): Uint8Array[] {
  return directions === 'both' ? [...frames, ...frames] : frames;
}

t.test('tunnels of each kind at once', { skip }, async (t) => {
  const { net, testpmd, folder } = await onHost(t, FRAMES, `,tx_pcap=${join(t.testdirName, 'sent.pcap')}`, 'io');
  await testpmd.command('set portlist 0'); // it sends out of port 0 what it receives there
  for (const { url, directions, words: more = [] } of TUNNELS) {
    const words = [
      '-i',
      '0',
      '-Q',
      directions ?? 'rx',
      '--to',
      url,
      '--out-port',
      '1',
      '--next-hop',
      NEXT_HOP,
      ...more,
    ];
    t.match(await setMirror(testpmd, words), { state: 'on', targetPort: 1 }, url);
  }
  const wanted = TUNNELS.reduce((sum, one) => sum + framesOf(one).length, 0);
  const file = join(folder, 'seen.pcap');
  const recording = await net.record('in', file, wanted, 'proto 47 or udp port 4789');
  const begin = Date.now() / 1000;
  await testpmd.command('start');
  await recording.wait();
  const mirrors = await mirrorsOf(testpmd);
  t.ok(mirrors.every(addsUp), 'each packet is accounted for');
  t.equal(
    mirrors.reduce((sum, { counters }) => sum + counters.sent, 0),
    wanted,
  );
  const socket = `/var/run/dpdk/${testpmd.prefix}/dpdk_telemetry.v2`;
  const told = JSON.parse(hostAddon().telemetry(socket, '/dpcap/mirrors', 2000))['/dpcap/mirrors'];
  for (const { id, counters, tunnel } of mirrors) {
    const { sent, limited } = counters;
    t.match(
      told[id],
      { sent, limited, tunnel: tunnel?.protocol, tunnel_id: tunnel?.id, next_hop: NEXT_HOP },
      'telemetry',
    );
  }
  const seen = dataOf(file);
  for (const tunnel of TUNNELS) {
    const { url, head, is, fields, directions } = tunnel;
    const packets = seen.filter(is);
    const most = (url.includes('mtu=1400') ? 1400 : 1500) + 14 - head;
    t.same(
      sorted(packets.map((packet) => packet.subarray(head))),
      sorted(framesOf(tunnel).map((frame) => frame.subarray(0, most))),
      `${url}: byte for byte, and cut where it must be`,
    );
    const own = join(folder, 'own.pcap');
    writePcap(own, packets);
    for (const [name, value] of Object.entries(fields)) {
      const values = new Set(tsharkFields(own, [name]).map(([text = '']) => text.split(',')[0]));
      t.same([...values], [value], `${url}: ${name}`);
    }
    if (directions === 'both') isWholeErspan(t, own, FRAMES.length, begin, 0.01);
    const [flags] = packets.map((packet) => packet.readUInt16BE(20));
    if (!url.includes('[')) t.equal(flags, 0x4000, 'not to be fragmented');
  }
  t.match(await testpmd.stop(), { code: 0 });
  net.close();
  t.same(leftovers(), []);
});

const FAMILIES = [
  { hop: COLLECTOR, asks: HOST, url: `vxlan://${COLLECTOR}?vni=9&max-rate=2000&${FROM}` },
  { hop: COLLECTOR_V6, asks: SOURCE_V6, url: `vxlan://[${COLLECTOR_V6}]?vni=9&max-rate=2000&src=${SOURCE_V6}` },
];
for (const { hop, asks, url } of FAMILIES) {
  t.test(
    `the next hop's address is learnt, and the kernel's end of the tunnel has the frames: ${hop}`,
    { skip },
    async (t) => {
      const short = FRAMES.slice(0, -1);
      const { net, testpmd, folder } = await onHost(t, short, ',infinite_rx=1', 'rxonly');
      net.answer();
      net.ip(net.collector, 'link', 'add', 'end', 'type', 'vxlan', 'id', '9', 'dstport', '4789', 'local', hop);
      net.ip(net.collector, 'link', 'set', 'end', 'addrgenmode', 'none', 'up');
      const arrived = (): number =>
        JSON.parse(net.ip(net.collector, '-s', '-j', 'link', 'show', 'end'))[0].stats64.rx.packets;
      const to = ['-i', '0', '-Q', 'rx', '--to', url, '--out-port', '1'];

      await testpmd.command('start');
      const wrong = await setMirror(testpmd, [...to, '--next-hop', '02:00:00:00:00:0a']);
      await mirrorsUntil(testpmd, ([one]) => (one?.counters.sent ?? 0) > 500);
      t.equal(arrived(), 0, 'by a wrong MAC address nothing arrives');
      t.match(await runDpcap(['mirror', 'clear', '--id', wrong.id, '--file-prefix', testpmd.prefix]), { code: 0 });

      await setMirror(testpmd, to);
      const [waiting] = await mirrorsUntil(testpmd, ([one]) => (one?.counters.unresolved ?? 0) > 1000);
      t.match(waiting, { counters: { sent: 0 }, tunnel: { nextHop: null } }, 'until then it is counted');
      const status = await runDpcap(['mirror', 'status', '--via', 'agent', '--file-prefix', testpmd.prefix]);
      t.match(status.stdout, `the MAC address of ${hop} is not known yet`);
      const file = join(folder, 'seen.pcap');
      const recording = await net.record('end', file, 2000, 'udp or vlan');
      run('nsenter', [`--net=/run/netns/${net.collector}`, 'ping', '-c', '1', '-W', '5', asks]);
      await recording.wait();
      const [learnt] = await mirrorsUntil(testpmd, ([one]) => (one?.counters.limited ?? 0) > 0);
      t.match(learnt, { tunnel: { nextHop: NEXT_HOP, isNextHopGiven: false } });
      t.ok(learnt && addsUp(learnt), 'each packet is accounted for');
      t.same([...new Set(sorted(dataOf(file)))], sorted(short), 'each frame, and no other');
      t.match(await testpmd.stop(), { code: 0 });
      net.close();
      t.same(leftovers(), []);
    },
  );
}

t.test('a tunnel does not carry its own packets, nor those of another mirror', { skip }, async (t) => {
  const between = { src: HOST, dst: COLLECTOR };
  const tunnelled = (vni: number): Uint8Array =>
    ether(
      0x0800,
      ipv4(17, udp(50000, 4789, Uint8Array.from([8, 0, 0, 0, 0, 0, vni, 0, ...(FRAMES[0] as Uint8Array)])), between),
    );
  const others = [FRAMES[0] as Uint8Array, tunnelled(7), FRAMES[1] as Uint8Array];
  const folder = t.testdir({});
  writePcap(join(folder, 'in.pcap'), [...others, tunnelled(5), tunnelled(6)]);
  writePcap(join(folder, 'silent.pcap'), []);
  const queues = (port: number): string =>
    [0, 1].map((queue) => `,tx_pcap=${join(folder, `sent-${port}-${queue}.pcap`)}`).join('');
  const vdevs = [
    `net_pcap0,rx_pcap=${join(folder, 'in.pcap')}${queues(0)}`,
    `net_pcap1,rx_pcap=${join(folder, 'silent.pcap')}${queues(1)}`,
  ];
  const testpmd = await startWithAgent('LD_PRELOAD', { vdevs, args: ['--rxq=1', '--txq=2'], memoryMb: 192 });
  t.teardown(() => testpmd.stop());
  await testpmd.command('set portlist 0');
  for (const port of ['0', '1']) {
    const url = `vxlan://${COLLECTOR}?vni=${5 + Number(port)}&${FROM}`;
    await setMirror(testpmd, ['-i', '0', '--to', url, '--out-port', port, '--next-hop', NEXT_HOP]);
  }
  await testpmd.command('start');
  const mirrors = await mirrorsUntil(testpmd, (all) => all.every(({ counters }) => (counters.own ?? 0) >= 4));
  t.ok(mirrors.every(addsUp), 'each packet is accounted for');
  for (const { counters } of mirrors) t.match(counters, { own: 4, matched: 6, sent: 6 });
  t.match(await runDpcap(['mirror', 'clear', '--all', '--file-prefix', testpmd.prefix]), {
    code: 0,
    stdout: /limited 0, unresolved 0, own 4/,
  });
  t.match(await testpmd.stop(), { code: 0 });
  for (const port of [0, 1]) {
    const sent = dataOf(join(folder, `sent-${port}-1.pcap`)).map((packet) => packet.subarray(50));
    t.same(sorted(sent), sorted([...others, ...others]), `out of port ${port}`);
  }
  t.same(hex(dataOf(join(folder, 'sent-0-0.pcap'))).length, 5, 'the originals were forwarded');
  t.same(leftovers(), []);
});
