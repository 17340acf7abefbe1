/** Mirrors into tunnels: what is asked for, checked without an application. */
import t from 'tap';
import type { AgentPort } from '../../../src/mirror/agent/request.js';
import { mostFrame, parseTunnelRequest, tunnelOrder, tunnelWarnings } from '../../../src/mirror/agent/tunnel.js';

const port = (mtu: number): AgentPort => ({
  ...{ id: 1, name: 'net_null1', driver: 'net_null', mac: '', rxQueues: 1, txQueues: 2, linkMbps: 10_000 },
  mtu,
});
const URL = 'erspan://192.0.2.9?id=5&src=192.0.2.1';

t.test('a tunnel with the words of -w', async (t) => {
  t.match(tunnelOrder(parseTunnelRequest(URL, undefined), port(1500)), {
    ...{ tunnel: 'erspan3', id: 5, isIpv6: false, hasShortTime: false, maxRate: 100_000, mtu: 1500, ttl: 64, dscp: 0 },
    ...{ source: '192.0.2.1', destination: '192.0.2.9', neighbour: '192.0.2.9', nextHop: '' },
  });
  const six = 'vxlan://[2001:db8::9]?vni=7&src=2001:db8::1&max-rate=0&port=8472&dscp=46&ttl=3&mtu=1400';
  t.match(tunnelOrder(parseTunnelRequest(six, undefined), port(9000)), {
    ...{ tunnel: 'vxlan', id: 7, isIpv6: true, maxRate: 0, udpPort: 8472, dscp: 46, ttl: 3, mtu: 1400 },
    ...{ source: '2001:db8::1', destination: '2001:db8::9' },
  });
  t.equal(tunnelOrder(parseTunnelRequest(`${URL}&version=2`, undefined), port(1500)).tunnel, 'erspan2');
});

t.test('the next hop', async (t) => {
  t.match(parseTunnelRequest(URL, '02:00:00:00:00:0A'), { nextHopMac: '02:00:00:00:00:0a', neighbour: '192.0.2.9' });
  t.match(parseTunnelRequest(URL, '192.0.2.254'), { nextHopMac: undefined, neighbour: '192.0.2.254' });
  for (const text of [
    '',
    'router',
    '01:00:00:00:00:01',
    '00:00:00:00:00:00',
    '2001:db8::1',
    '224.0.0.1',
    '2:0:0:0:0:1',
  ])
    t.throws(() => parseTunnelRequest(URL, text), { code: 'ERR_USAGE', message: /^--next-hop: / }, text);
});

t.test('what a port can send', async (t) => {
  const request = parseTunnelRequest(URL, undefined);
  t.equal(tunnelOrder(request, port(1000)).mtu, 1000, 'less than usual');
  t.equal(tunnelOrder(request, port(9000)).mtu, 1500, 'the path is asked about by nobody');
  t.equal(tunnelOrder(request, port(0)).mtu, 1500, 'a driver that does not tell');
  const long = parseTunnelRequest(`${URL}&mtu=9000`, undefined);
  t.equal(tunnelOrder(long, port(9000)).mtu, 9000);
  t.throws(() => tunnelOrder(long, port(1500)), {
    message: 'port 1 (net_null1) sends packets of 1500 bytes at most',
    hint: /mtu=1500 or less/,
  });
});

t.test('frames that are cut are told of before', async (t) => {
  const order = (url: string, mtu: number): ReturnType<typeof tunnelOrder> =>
    tunnelOrder(parseTunnelRequest(url, undefined), port(mtu));
  t.match(tunnelWarnings(order(URL, 1500), port(1500)), [/^frames of more than 1452 bytes are cut: give mtu=N/]);
  t.same(tunnelWarnings(order(`${URL}&mtu=1562`, 9000), port(1500)), []);
  t.equal(mostFrame(order(`${URL}&time=short`, 1500)), 1460);
  t.equal(mostFrame(order(`${URL}&version=2`, 1500)), 1464);
  t.equal(mostFrame(order('gretap://192.0.2.9?key=5&src=192.0.2.1', 1500)), 1468);
  t.equal(mostFrame(order('vxlan://[2001:db8::9]?vni=5&src=2001:db8::1', 1500)), 1444);
});

t.test('what cannot work is refused', async (t) => {
  const wrong: [url: string, message: RegExp][] = [
    ['erspan://192.0.2.9?id=5', /src is missing/],
    ['erspan://192.0.2.9?id=5&src=0.0.0.0', /src=0\.0\.0\.0 is not the address of one host/],
    ['erspan://192.0.2.9?id=5&src=2001:db8::1', /another IP version/],
    ['vxlan://[fe80::9%eth0]?vni=1&src=fe80::1', /names an interface of the kernel/],
    ['erspan://192.0.2.9?src=192.0.2.1', /^--to .*id is missing/],
    ['tcp://192.0.2.9', /is no tunnel/],
  ];
  for (const [url, message] of wrong)
    t.throws(() => parseTunnelRequest(url, undefined), { code: 'ERR_USAGE', message }, url);
});
