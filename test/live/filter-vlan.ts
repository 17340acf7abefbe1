/** Tags that a driver really strips: net_af_packet puts the kernel's VLAN into the mbuf. Filters find the packets all the same. */
import { join } from 'node:path';
import t from 'tap';
import {
  balances,
  bridgeTwoNamespaces,
  countPackets,
  requirements,
  startCapture,
  startTestpmd,
  total,
} from './helpers/index.js';

const skip = requirements({ namespaces: true, hugepagesMb: 256 });
const PINGS = 3;

t.test('stripped tags', { skip }, async (t) => {
  const bridge = bridgeTwoNamespaces();
  t.teardown(() => bridge.close());
  const { a } = bridge;
  a.run('ip', ['link', 'add', 'link', 'eth0', 'name', 'eth0.100', 'type', 'vlan', 'id', '100']);
  a.run('ip', ['address', 'add', '10.88.0.1/24', 'dev', 'eth0.100']);
  a.run('ip', ['link', 'set', 'eth0.100', 'up']);
  for (const [address, device] of [
    ['10.88.0.2', 'eth0.100'],
    ['10.77.0.99', 'eth0'],
  ] as const) {
    a.run('ip', ['neigh', 'replace', address, 'lladdr', '02:00:00:00:00:99', 'dev', device]);
  }
  const testpmd = await startTestpmd({
    vdevs: bridge.vdevs,
    args: ['--enable-hw-vlan-strip', '--forward-mode=rxonly'],
  });
  t.teardown(() => testpmd.stop());
  await testpmd.command('start');
  const ping = async (address: string): Promise<void> => {
    const running = a.start('ping', ['-c', String(PINGS), '-i', '0.05', '-W', '1', address]);
    await running.exited; // nobody answers: it fails, having sent
  };

  const CASES: [args: string[], tagged: number, untagged: number][] = [
    [['icmp'], PINGS, PINGS],
    [['--host', '10.88.0.1', '--proto', 'icmp'], PINGS, 0],
    [['--vlan', '100', 'icmp'], PINGS, 0],
    [['--vlan', '101', 'icmp'], 0, 0],
    [['--vlan', 'none', 'icmp'], 0, PINGS],
    [['vlan 100 and icmp'], PINGS, 0],
    [['icmp and not vlan'], 0, PINGS],
    [['--vlan', 'strict', 'icmp'], 0, PINGS],
  ];
  for (const [args, tagged, untagged] of CASES) {
    const file = join(t.testdir(), 'x.pcap');
    const running = await startCapture(testpmd, ['-i', '0', '-Q', 'rx', '-w', file, ...args]).started();
    await ping('10.88.0.2');
    await ping('10.77.0.99');
    const captured = await running.stop();
    balances(t, captured);
    const name = args.join(' ');
    t.equal(total(captured, 'written'), tagged + untagged, name);
    if (tagged + untagged === 0) continue;
    t.equal(countPackets(file, 'vlan 100 and icmp'), tagged, `${name}: the tag is in the file`);
    t.equal(countPackets(file, 'icmp and host 10.77.0.99'), untagged);
  }
});
