/** Commands for both ends of a tunnel by hand. */
import t from 'tap';
import { parseTunnelRequest } from '../../../src/mirror/agent/tunnel.js';
import {
  checkTunnelId,
  deviceTunnelStep,
  parseErspanVersion,
  parseTunnel,
  portTunnelStep,
  receiverStep,
} from '../../../src/mirror/by-hand/tunnel.js';
import { parseTunnelUrl } from '../../../src/sinks/tunnel/url.js';

t.test('what receives a tunnel, and the sender that it understands', async (t) => {
  const [v4, v6] = [
    { local: '192.0.2.9', remote: '192.0.2.1' },
    { local: '2001:db8::9', remote: undefined },
  ];
  const rows: [Omit<Parameters<typeof receiverStep>[0], 'id'>, type: string, url: string][] = [
    [{ kind: 'vxlan', ...v6, version: 3 }, 'vxlan id 5 dstport 4789 local 2001:db8::9', 'vxlan://[2001:db8::9]?vni=5'],
    [
      { kind: 'gretap', ...v4, version: 3 },
      'gretap local 192.0.2.9 remote 192.0.2.1 key 5',
      'gretap://192.0.2.9?key=5&src=192.0.2.1',
    ],
    [{ kind: 'gretap', ...v6, version: 3 }, 'ip6gretap local 2001:db8::9 key 5', 'gretap://[2001:db8::9]?key=5'],
    [
      { kind: 'erspan', ...v4, version: 2 },
      'erspan local 192.0.2.9 remote 192.0.2.1 seq key 5 erspan_ver 1',
      'erspan://192.0.2.9?id=5&version=2&src=192.0.2.1',
    ],
    [
      { kind: 'erspan', ...v6, version: 3 },
      'ip6erspan local 2001:db8::9 seq key 5 erspan_ver 2',
      'erspan://[2001:db8::9]?id=5&time=short',
    ],
  ];
  for (const [receiver, type, url] of rows) {
    const { commands, notes } = receiverStep({ ...receiver, id: 5 });
    t.equal(commands[0], `ip link add mirror0 type ${type}`);
    t.ok(notes.some((note) => note.endsWith(`dpcap -i PORT -w '${url}'`)));
    t.match(parseTunnelUrl(url), { id: 5, protocol: receiver.kind }, url);
  }
});

t.test('out of a port of the application', async (t) => {
  const url = 'vxlan://192.0.2.9?vni=7&src=192.0.2.1';
  const tunnel = parseTunnelRequest(url, '192.0.2.254');
  const step = portTunnelStep({ source: '0', url, tunnel, outPort: '1', nextHop: '192.0.2.254' });
  t.equal(step.commands[0], `dpcap mirror set -i 0 --to '${url}' --out-port 1 --next-hop 192.0.2.254 --until-exit`);
  t.match(step.notes.at(-1), /--receive vxlan --local 192\.0\.2\.9 --remote 192\.0\.2\.1 --tunnel-id 7$/);
});

t.test('out of an interface of the kernel', async (t) => {
  const rows = [
    [
      'vxlan://192.0.2.9?vni=7&port=8472&ttl=3',
      '192.0.2.1',
      'vxlan id 7 dstport 8472 local 192.0.2.1 remote 192.0.2.9 ttl 3',
    ],
    [
      'gretap://[2001:db8::9]?key=7&dscp=46',
      '2001:db8::1',
      'ip6gretap local 2001:db8::1 remote 2001:db8::9 key 7 ttl 64 tos 0xb8',
    ],
    ['erspan://192.0.2.9?id=7', '192.0.2.1', 'erspan local 192.0.2.1 remote 192.0.2.9 seq key 7 erspan_ver 2 ttl 64'],
  ] as const;
  for (const [url, source, type] of rows) {
    const { commands } = deviceTunnelStep('eth0', parseTunnelRequest(`${url}&src=${source}`, undefined).plan);
    t.same(commands, [
      `ip link add mirror0 type ${type}`,
      'ip link set mirror0 up',
      'tc qdisc add dev eth0 clsact',
      'tc filter add dev eth0 ingress matchall action mirred egress mirror dev mirror0',
      'tc qdisc del dev eth0 clsact    # to end it',
      'ip link del mirror0    # to end it',
    ]);
  }
});

t.test('what is no tunnel or id', async (t) => {
  t.throws(() => parseTunnel('geneve'), { message: /unknown value geneve/ });
  t.throws(() => parseErspanVersion('erspan', '1'), { message: /unknown value 1/, hint: 'ERSPAN has 2 and 3' });
  t.throws(() => parseErspanVersion('vxlan', '2'), { message: '--version with --receive vxlan' });
  t.throws(() => checkTunnelId('erspan', 1024), { message: /is out of range/, hint: 'erspan takes 0 to 1023' });
  t.equal(checkTunnelId('vxlan', 5), 5);
});
