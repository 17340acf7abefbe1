/** forward2kni to a TAP interface: tcpdump there sees what the port carries, no more and no less. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import {
  type Bridge,
  balances,
  bridgeTwoNamespaces,
  enginePid,
  forward2kni,
  hasInterface,
  interfaceGone,
  isThroughAgent,
  isUnharmed,
  kniName,
  readPcap,
  recordInterface,
  remember,
  requirements,
  run,
  rxQueuesOf,
  startCapture,
  startForwarder,
  startHttpServer,
  startReplay,
  startTestpmd,
  type Testpmd,
  tcpdumpLines,
  tsharkFields,
  uniqueName,
  watchInterface,
  writePcap,
} from '../harness/index.js';
import { ownDir } from '../helpers/own-dir.js';

const skip = requirements({ hugepagesMb: 256, namespaces: true, tools: ['python3'] });
process.env.XDG_STATE_HOME = ownDir(t);

interface Scene {
  bridge: Bridge;
  testpmd: Testpmd;
}

/** Namespaces a and b, joined by ports 0 and 1 of a testpmd. */
async function bridged(t: Test, args: string[] = []): Promise<Scene> {
  const bridge = bridgeTwoNamespaces();
  t.teardown(() => bridge.close());
  const testpmd = await startTestpmd({ vdevs: bridge.vdevs, args });
  t.teardown(() => testpmd.stop());
  await testpmd.command('start');
  return { bridge, testpmd };
}

/** What `tshark` reads of each packet that `mac` sent, in its order. */
function sentBy(mac: string, file: string): string[][] {
  const fields = [
    'eth.src',
    'frame.len',
    'ip.id',
    'icmp.seq',
    'tcp.seq_raw',
    'tcp.ack_raw',
    'tcp.flags',
    'tcp.payload',
  ];
  return tsharkFields(file, fields, `eth.src == ${mac}`);
}

/** What each thread that drains has open. */
function filesOfDrains(engine: number): string[][] {
  const tasks = readdirSync(`/proc/${engine}/task`).map((id) => `/proc/${engine}/task/${id}`);
  const drains = tasks.filter((task) => readFileSync(`${task}/comm`, 'utf8').trim() === 'dpcap-drain');
  return drains.map((task) => readdirSync(`${task}/fd`).map((fd) => readlinkSync(`${task}/fd/${fd}`)));
}

const interfacesIn = (netns: string): number => run('ip', ['-n', netns, '-o', 'link']).trimEnd().split('\n').length;

const bytesOf = (file: string): Buffer[] => readPcap(file).packets.map((packet) => packet.data);

t.test('ping and curl, in both directions, as the other port was captured', { skip }, async (t) => {
  const { bridge, testpmd } = await bridged(t);
  const { a, b } = bridge;
  const before = await remember(testpmd);
  const server = await startHttpServer(b);
  t.teardown(() => server.stop());
  const [name, folder] = [kniName(), t.testdir({})];
  const [seen, parallel] = [join(folder, 'kni.pcap'), join(folder, 'port1.pcap')];

  // What port 0 receives port 1 sends, and the other way round.
  const capture = await startCapture(testpmd, ['-i', '1', '-w', parallel]).started();
  const forwarder = await startForwarder(testpmd, '0', ['--name', name]).started();
  t.match(run('ip', ['link', 'show', name]), /NOARP,PROMISC,UP.* mtu 9216/);
  const tcpdump = await watchInterface(name, seen);
  a.run('ping', ['-c', '3', '-i', '0.2', b.address]);
  t.equal(a.run('curl', ['-s', server.url]), 'hello from dpcap\n');
  a.run('ping', ['-c', '1', '-s', '99', b.address]);
  await tcpdump.expect(/echo reply, .* length 107/);
  const { stdout } = await tcpdump.stop('SIGINT');
  balances(t, await capture.stop());
  balances(t, await forwarder.stop());

  for (const side of [a, b]) {
    const packets = sentBy(side.mac, seen);
    t.ok(packets.length >= 9, `${packets.length} packets of ${side.address}`);
    t.same(packets, sentBy(side.mac, parallel), `tshark agrees packet by packet on what ${side.address} sent`);
  }
  const printed = stdout.trimEnd().split('\n');
  t.same(printed.toSorted(), tcpdumpLines(parallel).toSorted(), 'tcpdump prints the same');
  const first = (pattern: RegExp): number => printed.findIndex((line) => pattern.test(line));
  t.ok(first(/echo request, .* seq 1,/) < first(/echo reply, .* seq 1,/), 'and answers after questions');
  t.notOk(hasInterface(name), 'the interface went with its forwarder');
  await isUnharmed(t, testpmd, before, 'forwarded');
});

t.test('in the background, with status and off', { skip }, async (t) => {
  const { bridge, testpmd } = await bridged(t);
  const before = await remember(testpmd);
  const name = kniName();
  const on = await forward2kni(testpmd, '0', 'on', ['--detach', '--name', name, '-B', '16384', 'icmp']);
  const said = new RegExp(`^port net_af_packet0 is forwarded to interface ${name}, by pid \\d+`);
  t.match(on, { code: 0, stderr: '', stdout: said });
  const hint = `end it with: dpcap forward2kni 0 off --file-prefix ${testpmd.prefix}\n`;
  t.ok(on.stdout.endsWith(hint), `the command that ends it is complete: ${on.stdout}`);
  t.ok(hasInterface(name));
  const again = await forward2kni(testpmd, 'net_af_packet0', 'on', ['--name', kniName()]);
  t.match(again, {
    code: 1,
    stderr: new RegExp(`already forwarded to ${name} .*EEXIST.*\n.*forward2kni net_af_packet0 off --file-prefix `),
  });

  bridge.a.run('ping', ['-c', '2', '-i', '0.2', bridge.b.address]);
  const status = async (): Promise<Record<string, unknown>> =>
    JSON.parse((await forward2kni(testpmd, '0', 'status', ['--json'])).stdout);
  while (Number((await status()).packets) < 4) {
    // The state is written once a second.
  }
  t.match(await status(), {
    forwarding: true,
    filePrefix: testpmd.prefix,
    port: { id: 0, name: 'net_af_packet0' },
    interfaces: [name],
    packets: 4,
    filtered: Number,
    nombuf: 0,
    sinkdrop: 0,
  });
  const words = (await forward2kni(testpmd, 'net_af_packet0', 'status')).stdout;
  t.match(words, said);
  t.match(words, /4 packets, 392 bytes; [2-9] filtered out; lost: nombuf 0, ringfull 0, sinkdrop 0/);

  const off = await forward2kni(testpmd, '0', 'off');
  t.match(off, { code: 0, stdout: `port net_af_packet0 is no longer forwarded; ${name} is gone\n` });
  t.notOk(hasInterface(name));
  t.match(await forward2kni(testpmd, '0', 'off'), { code: 0, stdout: /is not forwarded/ }, 'twice does no harm');
  t.same(await status(), { forwarding: false, port: '0' });
  await isUnharmed(t, testpmd, before, 'off');
});

/** Frames of all sizes up to jumbo, which differ from each other. */
function frames(count: number, mark: number): Buffer[] {
  return Array.from({ length: count }, (_, index) => {
    const frame = Buffer.alloc(14 + ((index * 97) % 9000), mark + index);
    frame.writeUInt32BE(mark * 1_000_000 + index, 0);
    frame.writeUInt16BE(0x88b5, 12);
    return frame;
  });
}

const A = frames(300, 1);
const B = frames(200, 2);

/** Files with the frames of A and B. */
function recorded(t: Test): { a: string; b: string; folder: string } {
  const folder = t.testdir({});
  const [a, b] = [join(folder, 'a.pcap'), join(folder, 'b.pcap')];
  writePcap(a, A);
  writePcap(b, B);
  return { a, b, folder };
}

t.test('byte for byte, jumbo frames too, an interface for each direction in a namespace', { skip }, async (t) => {
  const { a, b, folder } = recorded(t);
  const { testpmd, ...replay } = await replaying(t, [[a], [b]], 'io');
  const before = await remember(testpmd);
  const netns = uniqueName();
  run('ip', ['netns', 'add', netns]);
  t.teardown(() => run('ip', ['netns', 'del', netns]));

  const forwarder = await startForwarder(testpmd, '0', ['--split', 'direction', '--netns', netns]).started();
  const dump = (name: string, count: number) => recordInterface(name, join(folder, name), count, netns);
  // net_pcap0.kni-rx would be one letter too long.
  const [rx, tx] = [await dump('dpdk0.kni-rx', A.length), await dump('dpdk0.kni-tx', B.length)];
  await replay.play();
  await Promise.all([rx.wait(), tx.wait()]);
  balances(t, await forwarder.stop());
  t.same(bytesOf(join(folder, 'dpdk0.kni-rx')), A, 'what was received');
  t.same(bytesOf(join(folder, 'dpdk0.kni-tx')), B, 'what was sent');
  t.equal(interfacesIn(netns), 1, 'loopback alone is left');
  await isUnharmed(t, testpmd, before, 'split');
});

async function replaying(
  t: Test,
  files: string[][],
  mode: 'io' | 'rxonly',
): Promise<{ testpmd: Testpmd; play: () => Promise<void> }> {
  // The MTU is how dpcap knows that there are jumbo frames.
  const replay = await startReplay(files, A.length + B.length, { mode, args: ['--max-pkt-len=9200'] });
  t.teardown(() => replay.testpmd.stop());
  return { testpmd: replay.testpmd, play: () => replay.play() };
}

const noThreads = skip || (isThroughAgent && 'an agent is drained by one thread');

t.test('two threads, each with a queue of the interface', { skip: noThreads }, async (t) => {
  const { a, b, folder } = recorded(t);
  const { testpmd, ...replay } = await replaying(t, [[a, b]], 'rxonly');
  const before = await remember(testpmd);
  const [name, seen] = [kniName(), join(folder, 'seen.pcap')];
  const forwarder = await startForwarder(testpmd, '0', ['--name', name, '-Q', 'rx', '--threads', '2']).started();
  t.equal(rxQueuesOf(name), 2);
  const open = filesOfDrains(enginePid(forwarder.pid));
  t.equal(open.length, 2, 'both threads have descriptors of their own');
  t.same(
    open.flat().filter((path) => /hugepages|\/dpdk\//.test(path)),
    [],
    'and pin nothing of the primary',
  );
  const tcpdump = await recordInterface(name, seen, A.length + B.length);
  await replay.play();
  await tcpdump.wait();
  const captured = await forwarder.stop();
  balances(t, captured);
  t.match(captured.final?.ports, [
    { queue: 0, written: A.length },
    { queue: 1, written: B.length },
  ]);
  const marked = (mark: number) => bytesOf(seen).filter((frame) => Math.floor(frame.readUInt32BE(0) / 1e6) === mark);
  t.same(marked(1), A, 'queue 0, in its order');
  t.same(marked(2), B, 'queue 1, in its order');
  t.notOk(hasInterface(name));
  await isUnharmed(t, testpmd, before, 'two threads');
});

t.test('what exceeds --max-rate is lost and counted', { skip }, async (t) => {
  const { a, b } = recorded(t);
  const { testpmd, ...replay } = await replaying(t, [[a], [b]], 'rxonly');
  const forwarder = await startForwarder(testpmd, '0', ['--name', kniName(), '--max-rate', '10']).started();
  await replay.play();
  const captured = await forwarder.stop();
  balances(t, captured);
  const lane = captured.final?.ports.find(({ direction }) => direction === 'rx');
  t.equal(lane?.accepted, A.length);
  t.ok(lane && lane.written >= 1 && lane.sinkdrop > 0, `${lane?.written} passed, ${lane?.sinkdrop} did not`);
});

t.test('--for ends it; the name is that of the port', { skip }, async (t) => {
  const testpmd = await startTestpmd({ vdevs: ['net_null0', 'net_null1'] });
  t.teardown(() => testpmd.stop());
  const netns = uniqueName();
  run('ip', ['netns', 'add', netns]);
  t.teardown(() => run('ip', ['netns', 'del', netns]));
  const ended = await forward2kni(testpmd, '0', 'on', ['--netns', netns, '--for', '200ms', '-B', '16384']);
  t.match(ended, { code: 0, stderr: new RegExp(`to interface net_null0.kni in namespace ${netns}\n`) });
  t.match(ended.stderr, /ended: duration/);
  t.equal(interfacesIn(netns), 1);
});

/** Sends one ARP request, tagged, as it is. */
const SEND_TAGGED = `
import socket
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("eth0", 0))
arp = bytes.fromhex("0001080006040001" "020000007701" "0a4e0001" "000000000000" "0a4e0002")
s.send(bytes.fromhex("ffffffffffff" "020000007701" "8100602a" "0806") + arp + bytes(18))
`;

t.test('VLAN tags that the port had stripped are back', { skip }, async (t) => {
  const { bridge, testpmd } = await bridged(t, ['--enable-hw-vlan-strip']);
  const name = kniName();
  const forwarder = await startForwarder(testpmd, '0', ['--name', name, '-Q', 'rx']).started();
  const tcpdump = await watchInterface(name, join(t.testdir({}), 'x.pcap'), ['-e']);
  bridge.a.run('python3', ['-c', SEND_TAGGED]);
  await tcpdump.expect(/802\.1Q.* vlan 42, p 3, .*ARP.*who-has 10\.78\.0\.2/i);
  await tcpdump.stop();
  balances(t, await forwarder.stop());
  await interfaceGone(name);
});
