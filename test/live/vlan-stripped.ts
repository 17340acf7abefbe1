/** Tags that the driver stripped are in the mbuf and not in the data: the file has them again. */
import { join } from 'node:path';
import t, { type Test } from 'tap';
import {
  balances,
  Replay,
  readPcap,
  requirements,
  run,
  startCapture,
  startTestpmd,
  vethPair,
  writePcap,
} from '../harness/index.js';
import { arp, ether, icmp, ipv4, tcp } from '../helpers/frames.js';

const TAGGED = [42, 7, 0x2fff].map((vid) => ({ tpid: 0x8100, vid }));
/** Each frame with each tag, and without. */
const FRAMES = [...TAGGED.map((tag) => [tag]), []].flatMap((tags) => [
  ether(0x0800, ipv4(1, icmp(8)), tags),
  ether(0x0800, ipv4(6, tcp(1234, 80, 2, new Uint8Array(701))), tags),
  ether(0x0806, arp(1), tags),
]);

/** What a capture is asked for, and what it is to select. */
const CASES: [args: string[], selects: (frame: Buffer) => boolean][] = [
  [[], () => true],
  [['tcp', 'port', '80'], (frame) => frame.length > 700],
  [['arp'], (frame) => frame.length < 50 && !frame.includes(Buffer.from('aaaa'))],
];

/** Port 0 replays into port 1, a wire leads to port 2: there af_packet finds the tag beside the frame, as a NIC puts it. */
async function startStripping(t: Test, file: string): Promise<Replay> {
  const wire = vethPair();
  t.teardown(() => wire.close());
  const vdevs = [
    `net_pcap0,rx_pcap=${file}`,
    `net_af_packet0,iface=${wire.a}`,
    `net_af_packet1,iface=${wire.b}`,
    'net_null0,no-rx=1',
  ];
  const testpmd = await startTestpmd({ vdevs });
  t.teardown(() => testpmd.stop());
  await testpmd.command('port stop 2');
  await testpmd.command('port config 2 rx_offload vlan_strip on');
  await testpmd.command('port start 2');
  return new Replay(testpmd, 1, 2 * FRAMES.length);
}

t.test('stripped tags are put back', { skip: requirements({ hugepagesMb: 256, namespaces: true }) }, async (t) => {
  const folder = t.testdir();
  const file = join(folder, 'frames.pcap');
  writePcap(file, FRAMES);
  const replay = await startStripping(t, file);
  const frames = FRAMES.map((frame) => Buffer.from(frame));

  for (const clock of ['primary', 'host']) {
    for (const suffix of ['pcap', 'pcapng']) {
      for (const [expression, selects] of CASES) {
        const what = `${clock}, ${suffix}, ${expression.join(' ') || 'no filter'}`;
        const output = join(folder, `x.${suffix}`);
        const running = startCapture(replay.testpmd, ['-i', '2', '-Q', 'rx', '-j', clock, '-w', output, ...expression]);
        await running.started();
        await replay.play();
        balances(t, await running.stop());
        t.same(plainPackets(output), frames.filter(selects), `${what}: as on the wire`);
      }
    }
  }

  for (const clock of ['primary', 'host']) {
    for (const snaplen of [60, 16, 12]) {
      const output = join(folder, 'cut.pcap');
      const running = startCapture(replay.testpmd, [
        '-i',
        '2',
        '-Q',
        'rx',
        '-j',
        clock,
        '-s',
        `${snaplen}`,
        '-w',
        output,
      ]);
      await running.started();
      await replay.play();
      balances(t, await running.stop());
      const { packets } = readPcap(output);
      const cut = frames.map((frame) => frame.subarray(0, snaplen));
      t.same(
        packets.map((packet) => packet.data),
        cut,
        `${clock}, ${snaplen}: cut on the wire`,
      );
      t.ok(
        packets.every((packet) => packet.data.length <= packet.len),
        `${clock}, ${snaplen}: caplen <= len`,
      );
    }
  }
});

/** Packets of a pcap or pcapng file. */
function plainPackets(file: string): Buffer[] {
  const plain = `${file}.plain`;
  run('editcap', ['-F', 'nsecpcap', file, plain]);
  return readPcap(plain).packets.map((packet) => packet.data);
}
