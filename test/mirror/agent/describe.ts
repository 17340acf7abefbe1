/** What is said about mirrors of ports. */
import t from 'tap';
import { mirrorJson, mirrorLines, portLines } from '../../../src/mirror/agent/describe.js';
import type { MirrorStatus, MirrorTunnelStatus } from '../../../src/native/mirror-binding.js';

const STATUS: MirrorStatus = {
  id: 0x1f,
  state: 'on',
  reason: null,
  ownerPid: 12,
  ownerStartTicks: 34,
  leaseLeftSeconds: 9,
  rx: true,
  tx: true,
  snaplen: 60,
  byReference: false,
  pushedVlanTci: 0xa064,
  sourcePort: 0,
  sourceDevice: 'net_null0',
  targetPort: 1,
  targetDevice: 'evil\x1b[2J',
  targetQueue: 3,
  lanes: 2,
  filter: 'udp',
  counters: {
    filtered: 1n,
    matched: 10n,
    copied: 9n,
    sent: 6n,
    refused: 2n,
    nombuf: 1n,
    contended: 1n,
    missed: 0n,
    cut: 0n,
  },
  tunnel: null,
};

t.test('lines for people, without control codes', async (t) => {
  t.same(mirrorLines(STATUS), [
    'mirror 0000001f: port 0 (net_null0) rx+tx to port 1 (evil?[2J), queue 3; the first 60 bytes; VLAN 100 pushed; only udp; on, of process 12, ends in 9 s unless it is renewed',
    '  matched 10, copied 9, sent 6, refused 2, nombuf 1, contended 1, missed 0, filtered 1, cut 0',
  ]);
  const [ended] = mirrorLines({ ...STATUS, state: 'ended', reason: 'queue-used' });
  t.match(ended, /; ended: the application began to send on the target's queue$/);
});

const TUNNEL: MirrorTunnelStatus = {
  ...{ tunnel: 'erspan3', id: 5, hasShortTime: false, maxRate: 100_000, udpPort: 4789, mtu: 1500, ttl: 64, dscp: 0 },
  ...{ hardwareId: 0, source: '192.0.2.1', destination: '192.0.2.9', neighbour: '192.0.2.254' },
  nextHop: '02:00:00:00:00:09',
  isNextHopGiven: false,
  counters: { limited: 3n, unresolved: 2n, own: 1n },
};

t.test('into a tunnel: where to, by whom, how much, and what was left out', async (t) => {
  const lines = mirrorLines({ ...STATUS, tunnel: TUNNEL });
  t.match(lines[0], /rx\+tx to erspan:\/\/192\.0\.2\.9\?id=5 from 192\.0\.2\.1, out of port 1 \(evil/);
  t.equal(
    lines[1],
    '  next hop 02:00:00:00:00:09 (192.0.2.254); at most 100000 packets a second, of 1500 bytes at most',
  );
  t.match(lines[2], /contended 1, limited 3, unresolved 2, own 1, missed 0/);
  const given = { ...TUNNEL, isNextHopGiven: true, maxRate: 0 };
  t.match(mirrorLines({ ...STATUS, tunnel: given })[1], /^ {2}next hop 02:00:00:00:00:09; as many as there are, of/);
  const [, unknown] = mirrorLines({ ...STATUS, tunnel: { ...TUNNEL, nextHop: null } });
  t.match(
    unknown,
    /the MAC address of 192\.0\.2\.254 is not known yet; nothing is sent until a packet from it comes in/,
  );
  t.match(JSON.parse(JSON.stringify(mirrorJson({ ...STATUS, tunnel: TUNNEL }))), {
    tunnel: { protocol: 'erspan', version: 3, id: 5, destination: '192.0.2.9', nextHop: '02:00:00:00:00:09' },
    counters: { matched: 10, limited: 3, unresolved: 2, own: 1 },
  });
});

t.test('a document for programs', async (t) => {
  t.match(JSON.parse(JSON.stringify(mirrorJson(STATUS))), {
    id: '0000001f',
    direction: 'both',
    owner: { pid: 12, startTicks: 34 },
    pushedVlan: { id: 100, priority: 5 },
    counters: { matched: 10, sent: 6 },
  });
  t.match(mirrorJson({ ...STATUS, tx: false, pushedVlanTci: null }), { direction: 'rx', pushedVlan: null });
});

t.test('ports, and what their drivers are known to do in hardware', async (t) => {
  const port = { id: 0, name: 'p', mac: '', rxQueues: 1, txQueues: 2, mtu: 1500, linkMbps: 0 };
  const line = (driver: string): string | undefined => portLines('app', [{ ...port, driver }], true)[1];
  t.equal(line('net_null'), '  port 0 (p) net_null: 1 rx and 2 tx queues, MTU 1500');
  t.match(
    line('mlx5_pci'),
    /MTU 1500; in hardware as well, where the driver takes the rules \(--hardware --dry-run asks/,
  );
  t.match(line('net_bnxt'), /in hardware by hand \(dpcap mirror plan --nic bnxt\); its loopback can be switched/);
  t.match(line('net_cn10k'), /--nic cnxk\)$/);
  t.match(line('net_i40e'), /MTU 1500; its loopback can be switched \(dpcap mirror loopback\)$/);
});
