/** Mirrors to each kind of port: what the other side of the target gets is, frame by frame, what the source received. */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { startWithAgent } from '../harness/agent.js';
import {
  balances,
  leftovers,
  readPcap,
  requirements,
  start,
  startCapture,
  type Testpmd,
  vethPair,
  writePcap,
} from '../harness/index.js';
import { addsUp, mirrorsOf, setMirror } from '../harness/mirrors.js';
import { uniqueInterface } from '../harness/owned.js';

const skip = requirements({ hugepagesMb: 256, tools: ['tcpdump'] });
const ETHERTYPE = 0x88b5;
const DEADLINE_MS = 20_000;

/** Each says which it is, and they end at odd lengths. */
const FRAMES = Array.from({ length: 300 }, (_, index) => {
  const frame = Buffer.alloc(60 + ((index * 37) % 1400), index);
  frame.writeUInt16BE(ETHERTYPE, 12);
  frame.writeUInt16BE(index, 14);
  return frame;
});
const numberOf = (frame: Uint8Array): number => Buffer.from(frame).readUInt16BE(14);

/** A testpmd whose port 0 receives the frames, again and again if they are `endless`, and whose port 1 is the target. */
async function startTarget(t: Test, target: string, kind: 'once' | 'endless' = 'once'): Promise<Testpmd> {
  const input = join(t.testdir(), 'in.pcap');
  writePcap(input, FRAMES);
  const vdevs = [`net_pcap0,rx_pcap=${input}${kind === 'endless' ? ',infinite_rx=1' : ''}`, target];
  const testpmd = await startWithAgent('LD_PRELOAD', { vdevs, args: ['--forward-mode=rxonly'], memoryMb: 256 });
  t.teardown(() => testpmd.stop());
  return testpmd;
}

/** Waits until a file that tcpdump writes has all frames. */
async function framesIn(file: string): Promise<string[]> {
  const deadline = Date.now() + DEADLINE_MS;
  for (;;) {
    const packets = tornOrWhole(file);
    if (packets.length >= FRAMES.length || Date.now() > deadline) return packets;
    await delay(20);
  }
}

/** tcpdump may be in the middle of a packet. */
function tornOrWhole(file: string): string[] {
  try {
    return readPcap(file).packets.map(({ data }) => Buffer.from(data).toString('hex'));
  } catch {
    return [];
  }
}

/** Mirrors all frames, and compares what tcpdump sees on the interface, which is the kernel's end of the target. */
async function arrivesAt(t: Test, testpmd: Testpmd, iface: string): Promise<void> {
  const file = join(t.testdirName, 'seen.pcap');
  const wire = start('tcpdump', ['-i', iface, '-U', '-Z', 'root', '-w', file, `ether proto ${ETHERTYPE}`]);
  t.teardown(() => wire.stop('SIGKILL'));
  await wire.expect(/listening on/);
  await setMirror(testpmd, ['-i', '0', '-Q', 'rx', '--to-port', '1']);
  await testpmd.command('start');
  t.same(
    await framesIn(file),
    FRAMES.map((frame) => frame.toString('hex')),
    `frame by frame at ${iface}`,
  );
  const [mirror] = await mirrorsOf(testpmd);
  t.match(mirror, { counters: { matched: FRAMES.length, sent: FRAMES.length } });
  await wire.stop('SIGINT');
}

t.test('to a TAP interface', { skip }, async (t) => {
  const iface = uniqueInterface('m');
  const testpmd = await startTarget(t, `net_tap1,iface=${iface}`);
  await arrivesAt(t, testpmd, iface);
  t.match(await testpmd.stop(), { code: 0 });
  t.same(leftovers(), []);
});

t.test('to the interface of a packet socket', { skip }, async (t) => {
  const pair = vethPair();
  t.teardown(() => pair.close());
  const testpmd = await startTarget(t, `net_af_packet1,iface=${pair.a}`);
  await arrivesAt(t, testpmd, pair.b);
  t.match(await testpmd.stop(), { code: 0 });
  pair.close();
  t.same(leftovers(), []);
});

for (const target of ['net_ring1', 'net_null1']) {
  t.test(`under load to ${target}, as a capture at the target sees it`, { skip }, async (t) => {
    const testpmd = await startTarget(t, target, 'endless');
    await setMirror(testpmd, ['-i', '0', '-Q', 'rx', '--to-port', '1']);
    const file = join(t.testdirName, 'seen.pcap');
    // All that is counted has room in the memory between the application and the file: nothing before it is lost.
    const words = ['--via', 'agent', '-i', '1', '-Q', 'tx', '-c', '10000', '-B', '65536', '-w', file];
    const running = await startCapture(testpmd, words).started();
    await testpmd.command('start');
    balances(t, await running.ended());
    const seen = readPcap(file).packets.map(({ data }) => data);
    t.equal(seen.length, 10_000);
    const first = numberOf(seen[0] as Uint8Array);
    const odd = seen.findIndex(
      (frame, at) => Buffer.compare(frame, FRAMES[(first + at) % FRAMES.length] as Buffer) !== 0,
    );
    t.equal(odd, -1, 'frame by frame, in the order in which the source received them');
    const [mirror] = await mirrorsOf(testpmd);
    t.ok(mirror && addsUp(mirror), `each packet is accounted for: ${JSON.stringify(mirror?.counters)}`);
    t.match(await testpmd.stop(), { code: 0 });
    t.same(leftovers(), []);
  });
}
