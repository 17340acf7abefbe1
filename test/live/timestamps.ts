/** When a packet was seen: close to when the kernel saw it, and in order. And what waiting for packets costs. */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import {
  balances,
  bridgeTwoNamespaces,
  capture,
  cpuSeconds,
  enginePid,
  type PcapPacket,
  readPcap,
  requirements,
  start,
  startCapture,
  startTestpmd,
  underLoad,
  wakeUps,
} from '../harness/index.js';

const skip = requirements({ hugepagesMb: 256, namespaces: true });
const PINGS = 300;

/** Milliseconds by which `late` saw the packets of `early` later, sorted. Packets are told apart by their bytes. */
function lateness(early: PcapPacket[], late: PcapPacket[]): number[] {
  const times = new Map(early.map(({ data, timestampNs }) => [data.toString('latin1'), timestampNs]));
  return late
    .flatMap(({ data, timestampNs }) => {
      const seen = times.get(data.toString('latin1'));
      return seen === undefined ? [] : [Number(timestampNs - seen) / 1e6];
    })
    .sort((a, b) => a - b);
}

function neverDecreases(t: Test, packets: PcapPacket[], what: string): void {
  const back = packets.filter((packet, i) => packet.timestampNs < (packets[i - 1] ?? packet).timestampNs);
  t.equal(back.length, 0, `${what}: timestamps never decrease within a queue`);
}

t.test('timestamps against those of the kernel', { skip }, async (t) => {
  const bridge = bridgeTwoNamespaces();
  t.teardown(() => bridge.close());
  const testpmd = await startTestpmd({ vdevs: bridge.vdevs });
  t.teardown(() => testpmd.stop());
  await testpmd.command('start');
  const folder = t.testdir();

  for (const clock of ['primary', 'host']) {
    const [ours, kernels] = [join(folder, `${clock}.pcap`), join(folder, `${clock}-kernel.pcap`)];
    const words = ['-i', bridge.a.rootInterface, '--time-stamp-precision=nano', '-Q', 'in', '-w', kernels, 'icmp'];
    const tcpdump = start('tcpdump', ['-Z', 'root', '--immediate-mode', '-U', ...words]);
    const running = startCapture(testpmd, ['-i', '0', '-Q', 'rx', '-j', clock, '-w', ours, 'icmp']);
    await Promise.all([tcpdump.expect(/listening on/), running.started()]);
    bridge.a.run('ping', ['-q', '-c', String(PINGS), '-i', '0.002', '-W1', bridge.b.address]);
    await running.written(PINGS);
    balances(t, await running.stop());
    await tcpdump.stop();

    const packets = readPcap(ours).packets;
    neverDecreases(t, packets, clock);
    const ms = lateness(readPcap(kernels).packets, packets);
    t.equal(ms.length, PINGS, `${clock}: the kernel and dpcap saw the same ${ms.length} packets`);
    const at = (share: number): number => ms[Math.floor(share * (ms.length - 1))] ?? Number.NaN;
    const figures = [0, 0.1, 0.5, 0.9, 1].map((share) => at(share).toFixed(3)).join(', ');
    // The primary polls on a shared core, so the slowest packets tell of the scheduler and not of dpcap.
    t.ok(at(0) > -0.2, `${clock}: none is much before its time; ms at 0, 10, 50, 90, 100 %: ${figures}`);
    t.ok(at(0.5) < 1, `${clock}: half of them are less than 1 ms later: ${at(0.5)}`);
  }
});

t.test('at full load', { skip }, async (t) => {
  const testpmd = await underLoad(t);
  for (const clock of ['primary', 'host']) {
    const file = join(t.testdir(), 'x.pcap');
    const began = BigInt(Date.now()) * 1_000_000n;
    const captured = await capture(testpmd, ['-i', '0', '-Q', 'rx', '-c', '200000', '-j', clock, '-w', file]);
    const ended = BigInt(Date.now()) * 1_000_000n;
    balances(t, captured);
    const { packets } = readPcap(file);
    neverDecreases(t, packets, clock);
    const [first, last] = [packets[0]?.timestampNs ?? 0n, packets.at(-1)?.timestampNs ?? 0n];
    t.ok(first > began && last < ended, `${clock}: all within the time of the capture`);
  }
});

/** A drain that has nothing to do looks at its rings once a millisecond, or less often. What that costs is in bench/. */
const MOST_WAKES = 1500;
const IDLE_S = 2;

t.test('an idle capture sleeps', { skip }, async (t) => {
  const testpmd = await startTestpmd({ vdevs: ['net_null0', 'net_null1'] });
  t.teardown(() => testpmd.stop());
  const running = startCapture(testpmd, ['-i', 'any', '--stats-interval', '1', '-w', '/dev/null']);
  await running.started();
  const engine = enginePid(running.pid);
  const [cpu, wakes, began] = [cpuSeconds(engine), wakeUps(engine), performance.now()];
  await delay(IDLE_S * 1000);
  const seconds = (performance.now() - began) / 1000;
  const rate = (wakeUps(engine) - wakes) / seconds;
  t.ok(rate < MOST_WAKES, `it wakes up ${rate.toFixed(0)} times a second`);
  const share = (cpuSeconds(engine) - cpu) / seconds;
  t.ok(share < 0.5, `and does not spin: ${(100 * share).toFixed(1)} % of a core`);
  balances(t, await running.stop());
});
