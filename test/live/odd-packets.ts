/** Packets that cannot be copied: told with their cause, counted, and the others go on. */
import { join } from 'node:path';
import t, { type Test } from 'tap';
import {
  balances,
  type Captured,
  readPcap,
  requirements,
  startCapture,
  startReplay,
  total,
  writePcap,
} from '../harness/index.js';
import { installedDpdk } from '../helpers/native.js';

const skip = requirements({ hugepagesMb: 256 });
const TOLD = /cannot be copied although mbufs are free/;
/** From this release on rte_pktmbuf_copy() has nothing against packets of no bytes (seen with 24.11.8). */
const COPIES_EMPTY = 0x18_0b_00_00;
const needsRefusal =
  skip || (installedDpdk().number >= COPIES_EMPTY && 'this release of DPDK copies packets without a byte');

/** Captures one replay of packets of these sizes; resolves with the end, and the sizes in the file. */
async function replayed(t: Test, sizes: readonly number[], args: string[]): Promise<[Captured, number[]]> {
  const file = join(t.testdir(), 'in.pcap');
  const packets = sizes.map((size) => Buffer.alloc(size, size));
  writePcap(file, packets);
  const replay = await startReplay([[file]], sizes.length);
  t.teardown(() => replay.testpmd.stop());
  const out = join(t.testdirName, 'out.pcap');
  const running = startCapture(replay.testpmd, ['-i', '0', '-Q', 'rx', '-w', out, ...args]);
  await running.started();
  await replay.play();
  const captured = await running.stop();
  balances(t, captured);
  t.match(captured, { code: 0, signal: null }, captured.messages);
  t.ok(replay.testpmd.alive(), 'the primary lives');
  return [captured, readPcap(out).packets.map(({ data }) => data.length)];
}

t.test('packets without a byte', { skip: needsRefusal }, async (t) => {
  const [captured, sizes] = await replayed(t, [60, 0, 100, 0, 0], []);
  t.same(sizes, [60, 100], 'the others are captured');
  t.equal(total(captured, 'nombuf'), 3);
  t.match(captured.stderr, TOLD);
});

t.test('nothing but packets without a byte', { skip: needsRefusal }, async (t) => {
  const [captured] = await replayed(t, [0, 0], []);
  t.match(captured.stderr, TOLD);
  t.match(captured.final?.why_empty, /2 packets matched, but .* no bytes/);
});

/** Around the bytes that an mbuf of the usual size has for a packet and, behind it, the timestamp. */
const AROUND_AN_MBUF = Array.from({ length: 60 }, (_, i) => 2080 + i);

t.test('packets that fill an mbuf so far that the timestamp has no room', { skip }, async (t) => {
  const [captured, sizes] = await replayed(t, AROUND_AN_MBUF, []);
  const failed = total(captured, 'nombuf');
  t.equal(sizes.length + failed, AROUND_AN_MBUF.length);
  t.equal(TOLD.test(captured.stderr), failed > 0, `told, since ${failed} failed`); // 22.11: 20 of them
});

t.test('the same, copied without a timestamp, or cut', { skip }, async (t) => {
  const [, whole] = await replayed(t, AROUND_AN_MBUF, ['-j', 'host']);
  t.same(whole, AROUND_AN_MBUF);
  const [, cut] = await replayed(t, AROUND_AN_MBUF, ['-s', '96']);
  t.equal(cut.length, AROUND_AN_MBUF.length);
});
