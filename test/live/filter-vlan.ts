/** Tags that a driver really strips: net_af_packet puts the kernel's VLAN into the mbuf. Filters find the packets all the same. */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import {
  balances,
  bridgeTwoNamespaces,
  countPackets,
  requirements,
  startCapture,
  startTestpmd,
  total,
} from '../harness/index.js';
import { ether, icmp, ipv4 } from '../helpers/frames.js';

const skip = requirements({ namespaces: true, tools: ['python3'], hugepagesMb: 256 });
const PACKETS = 3;
/** Interface, frame in hexadecimal, how often. */
const SEND = `
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((sys.argv[1], 0))
for _ in range(int(sys.argv[3])): s.send(bytes.fromhex(sys.argv[2]))
`;
const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

t.test('stripped tags', { skip }, async (t) => {
  const bridge = bridgeTwoNamespaces();
  t.teardown(() => bridge.close());
  const testpmd = await startTestpmd({
    vdevs: bridge.vdevs,
    args: ['--enable-hw-vlan-strip', '--forward-mode=rxonly'],
  });
  t.teardown(() => testpmd.stop());
  await testpmd.command('start');
  const send = (vlan: number | undefined): string => {
    const tags = vlan === undefined ? [] : [{ tpid: 0x8100, vid: vlan }];
    const packet = ipv4(1, icmp(8), { src: '10.88.0.1', dst: vlan === undefined ? '10.77.0.99' : '10.88.0.2' });
    return bridge.a.run('python3', ['-c', SEND, 'eth0', toHex(ether(0x0800, packet, tags)), String(PACKETS)]);
  };

  const CASES: [args: string[], tagged: number, untagged: number][] = [
    [['icmp'], PACKETS, PACKETS],
    [['--dst-host', '10.88.0.2', '--proto', 'icmp'], PACKETS, 0],
    [['--vlan', '100', 'icmp'], PACKETS, 0],
    [['--vlan', '101', 'icmp'], 0, 0],
    [['--vlan', 'none', 'icmp'], 0, PACKETS],
    [['vlan 100 and icmp'], PACKETS, 0],
    [['icmp and not vlan'], 0, PACKETS],
    [['--vlan', 'strict', 'icmp'], 0, PACKETS],
  ];
  for (const [args, tagged, untagged] of CASES) {
    const file = join(t.testdir(), 'x.pcap');
    const running = await startCapture(testpmd, ['-i', '0', '-Q', 'rx', '-w', file, ...args]).started();
    const { rxPackets } = await testpmd.forwarding(0);
    send(100);
    send(undefined);
    while ((await testpmd.forwarding(0)).rxPackets < rxPackets + 2 * PACKETS) await delay(10);
    const captured = await running.stop();
    balances(t, captured);
    const name = args.join(' ');
    t.equal(total(captured, 'written'), tagged + untagged, name);
    if (tagged + untagged === 0) continue;
    t.equal(countPackets(file, 'vlan 100 and icmp'), tagged, `${name}: the tag is in the file`);
    t.equal(countPackets(file, 'icmp and host 10.77.0.99'), untagged);
  }
});
