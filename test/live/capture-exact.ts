/** What is captured is what passed: the right number, byte for byte, told apart by port, queue and direction. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  balances,
  type Captured,
  capinfos,
  capture,
  isThroughAgent,
  readPcap,
  requirements,
  run,
  startCapture,
  startReplay,
  total,
  tsharkFields,
  underLoad,
  writePcap,
} from '../harness/index.js';

const skip = requirements({ hugepagesMb: 256 });

/** Frames that differ from each other and end at odd lengths. */
function frames(count: number, mark: number): Buffer[] {
  return Array.from({ length: count }, (_, index) => {
    const frame = Buffer.alloc(14 + ((index * 37) % 1500), mark + index);
    frame.writeUInt32BE(mark * 1_000_000 + index, 0);
    frame.writeUInt16BE(0x88b5, 12);
    return frame;
  });
}

const A = frames(300, 1);
const B = frames(200, 2);

/** Packets of a pcap or pcapng file, in its order. */
function bytesIn(file: string): Buffer[] {
  const plain = `${file}.plain`;
  run('editcap', ['-F', 'nsecpcap', file, plain]);
  return readPcap(plain).packets.map((packet) => packet.data);
}

/** The largest step back in time from one packet to the next, in ns; 0 in perfect order. */
function disorderNs(file: string): number {
  const times = readPcap(file).packets.map((packet) => packet.timestampNs);
  return times.reduce((worst, time, i) => Math.max(worst, Number((times[i - 1] ?? time) - time)), 0);
}

/** Packets of a large pcap that come after one with a later timestamp. */
function countLate(file: string): number {
  const bytes = readFileSync(file);
  let [late, latest] = [0, 0];
  for (let at = 24; at < bytes.length; at += 16 + bytes.readUInt32LE(at + 8)) {
    const time = bytes.readUInt32LE(at) * 1e9 + bytes.readUInt32LE(at + 4); // exact to 256 ns
    if (time < latest) late++;
    else latest = time;
  }
  return late;
}

t.test('-c is exact at full load', { skip }, async (t) => {
  const testpmd = await underLoad(t);
  const before = await testpmd.snapshot();
  const folder = t.testdir();

  const CASES: [name: string, args: string[], packets: number][] = [
    ['one.pcap', ['-i', '0', '-Q', 'rx', '-c', '100000'], 100_000],
    ['one.pcapng', ['-i', '0', '-Q', 'rx', '-c', '100000'], 100_000],
    ['first.pcap', ['-i', '0', '-Q', 'rx', '-c', '1'], 1],
    ['four-lanes.pcap', ['-i', 'any', '-c', '50000'], 50_000],
    ['as-dumpcap.pcapng', ['-i', '1', '-Q', 'tx', '-a', 'packets:777'], 777],
  ];
  for (const [name, args, packets] of CASES) {
    const file = join(folder, name);
    const captured = await capture(testpmd, [...args, '-w', file]);
    balances(t, captured);
    t.match(captured.final, { packets, stop_reason: 'packets' }, name);
    t.equal(capinfos(file)['Number of packets'], String(packets));
    if (name.endsWith('.pcap')) t.ok(disorderNs(file) < 1_000_000, `${name}: lanes are merged by time`);
  }

  const merged = join(folder, 'threads.pcap');
  const args = ['-i', 'any', '-a', 'duration:0.3', '--threads', '2', '-w', merged];
  const threads = await capture(testpmd, args);
  balances(t, threads);
  t.equal(capinfos(merged)['Number of packets'], String(threads.final?.packets));
  const late = countLate(merged) / Number(threads.final?.packets);
  t.ok(late < 0.001, `what two threads took is merged by time; only what the primary held up is late: ${late}`);

  const file = join(folder, 'limited.pcap');
  const sized = await capture(testpmd, ['-i', '0', '-Q', 'rx', '-a', 'filesize:500', '-w', file]);
  balances(t, sized);
  t.equal(sized.final?.stop_reason, 'filesize');
  t.equal(capinfos(file)['File size (bytes)'], String(24 + 80 * Math.ceil((500_000 - 24) / 80)));
  const timed = await capture(testpmd, ['-i', '0', '-a', 'duration:0.2', '-s', '64', '-w', '/dev/null']);
  balances(t, timed);
  t.equal(timed.final?.stop_reason, 'duration');
  t.same(await testpmd.snapshot(), before, 'the primary is as it was');
});

t.test('a file that is replayed once is captured byte for byte', { skip }, async (t) => {
  const folder = t.testdir();
  const [a, b] = [join(folder, 'a.pcap'), join(folder, 'b.pcap')];
  writePcap(a, A);
  writePcap(b, B);
  const replay = await startReplay([[a], [b]], A.length + B.length, { mode: 'io' });
  t.teardown(() => replay.testpmd.stop());
  const seen = async (name: string, args: string[]): Promise<[string, Captured]> => {
    const file = join(folder, name);
    const running = await startCapture(replay.testpmd, [...args, '-w', file]).started();
    await replay.play();
    return [file, await running.stop()];
  };

  for (const name of ['x.pcap', 'x.pcapng']) {
    for (const clock of ['primary', 'host']) {
      const [file, captured] = await seen(name, ['-i', '0', '-Q', 'rx', '-j', clock]);
      balances(t, captured);
      t.same(bytesIn(file), A, `port 0, rx, ${name}, stamped by the ${clock}`);
    }
  }

  for (const threads of ['1', '2']) {
    const args = ['-i', 'net_pcap0', '-i', '1', '-Q', 'both', '--threads', threads];
    const [file, captured] = await seen(`all-${threads}.pcapng`, args);
    balances(t, captured);
    t.equal(capinfos(file)['Strict time order'], 'True', `four lanes are merged in time order, threads: ${threads}`);
    const bytes = bytesIn(file);
    const fields = tsharkFields(file, [
      'frame.interface_name',
      'frame.packet_flags_direction',
      'frame.interface_queue',
    ]);
    const lane = (...wanted: string[]): Buffer[] => bytes.filter((_, i) => fields[i]?.join() === wanted.join());
    t.same(lane('net_pcap0', '0x00000001', '0'), A, 'port 0 received a');
    t.same(lane('net_pcap0', '0x00000002', '0'), B, 'port 0 sent b');
    t.same(lane('net_pcap1', '0x00000001', '0'), B, 'port 1 received b');
    t.same(lane('net_pcap1', '0x00000002', '0'), A, 'port 1 sent a');
  }

  await t.test('cut at the snaplen', async (t) => {
    for (const [clock, snaplen] of [
      ['primary', 100],
      ['primary', 61],
      ['host', 100],
      ['host', 61],
    ] as const) {
      const [cut, captured] = await seen('cut.pcap', ['-i', '0', '-Q', 'rx', '-s', String(snaplen), '-j', clock]);
      balances(t, captured);
      const { packets, snaplen: said } = readPcap(cut);
      t.equal(said, snaplen);
      t.same(
        packets.map((packet) => packet.data),
        A.map((frame) => frame.subarray(0, snaplen)),
        `${clock}, ${snaplen}: the beginning of each packet`,
      );
      const isKnown = clock === 'primary' || isThroughAgent;
      const lengths = A.map((frame) => (isKnown ? frame.length : Math.min(frame.length, snaplen)));
      t.same(
        packets.map((packet) => packet.len),
        lengths,
        `${clock}: the length on the wire, where it can be known`,
      );
    }
  });

  const FORMATS: [args: string[], type: string, precision: string][] = [
    [['-F', 'pcap'], 'nsecpcap', 'nanoseconds'],
    [['-F', 'pcap', '--time-precision', 'micro'], 'pcap', 'microseconds'],
    [['-F', 'pcapng'], 'pcapng', 'nanoseconds'],
    [['-F', 'pcapng', '--time-precision', 'micro'], 'pcapng', 'microseconds'],
  ];
  for (const [args, type, precision] of FORMATS) {
    const began = Date.now();
    const [file, captured] = await seen('format', ['-i', '0', '-Q', 'rx', ...args]);
    balances(t, captured);
    t.match(capinfos(file), { 'File type': type, 'File time precision': precision });
    const times = tsharkFields(file, ['frame.time_epoch']).map(([time]) => Number(time) * 1000);
    t.ok(
      times.every((time) => time >= began - 1 && time <= Date.now() + 1),
      `${type}, ${precision}: the time of day is right`,
    );
  }
});

t.test('queues are told apart', { skip }, async (t) => {
  const folder = t.testdir();
  const [a, b] = [join(folder, 'a.pcap'), join(folder, 'b.pcap')];
  writePcap(a, A);
  writePcap(b, B);
  const replay = await startReplay([[a, b]], A.length + B.length);
  t.teardown(() => replay.testpmd.stop());
  const file = join(folder, 'x.pcapng');

  const all = await startCapture(replay.testpmd, ['-i', '0', '-Q', 'rx', '-w', file]).started();
  const one = await startCapture(replay.testpmd, ['-i', '0', '-Q', 'tx', '--queue', '1', '-w', `${file}.tx`]).started();
  await replay.play();
  const both = await all.stop();
  balances(t, both);
  const nothing = await one.stop();
  balances(t, nothing);
  t.match(nothing.final?.why_empty, /no packet passed net_pcap0 queue 1 tx/);
  const queues = tsharkFields(file, ['frame.interface_queue']);
  const bytes = bytesIn(file);
  t.same(
    bytes.filter((_, i) => queues[i]?.[0] === '0'),
    A,
  );
  t.same(
    bytes.filter((_, i) => queues[i]?.[0] === '1'),
    B,
  );

  const running = await startCapture(replay.testpmd, ['-Q', 'rx', '--queue', '1', '-w', file]).started();
  await replay.play();
  const second = await running.stop();
  balances(t, second);
  t.equal(total(second, 'accepted'), B.length);
  t.same(bytesIn(file), B, 'one queue alone');
});
