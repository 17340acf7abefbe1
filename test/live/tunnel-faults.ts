/** Tunnels whose collector, way or rate is not as it should be: told, counted, and the primary unharmed. */
import t from 'tap';
import { COLLECTOR, HOST, joinCollector } from '../harness/collector.js';
import {
  balances,
  type Captured,
  isUnharmed,
  remember,
  requirements,
  runDpcapLacking,
  underLoad,
} from '../harness/index.js';

const skip = requirements({ hugepagesMb: 256, namespaces: true, tools: ['nsenter', 'setpriv'] });

const sinkdrop = ({ final }: Captured): number => (final?.ports ?? []).reduce((sum, lane) => sum + lane.sinkdrop, 0);

t.test('a collector that refuses, a rate that is exceeded, a way that goes: counted, and told', { skip }, async (t) => {
  const testpmd = await underLoad(t);
  const net = joinCollector();
  t.teardown(() => net.close());
  net.answer();
  const before = await remember(testpmd);
  const to = (words: string): string[] => ['-i', '0', '-Q', 'rx', '-w', `vxlan://${COLLECTOR}?vni=1&${words}`];

  const refused = net.capture(testpmd, to('max-rate=200'));
  await refused.process.expect(/nobody listens on that UDP port there \(ECONNREFUSED\)/);
  await refused.process.expect(/more than 200 packets a second are not sent/);
  const seen = await refused.stop();
  balances(t, seen);
  t.ok(sinkdrop(seen) > 1000, `${sinkdrop(seen)} packets were above the rate`);

  const cutOff = net.capture(testpmd, to('max-rate=1000'));
  const { packets } = await cutOff.written(1);
  net.ip(net.host, 'address', 'del', `${HOST}/24`, 'dev', 'out');
  await cutOff.process.expect(/there is no way to it any more \(ENETUNREACH\)/);
  net.ip(net.host, 'address', 'add', `${HOST}/24`, 'dev', 'out');
  await cutOff.written(packets + 2000);
  balances(t, await cutOff.stop());
  await isUnharmed(t, testpmd, before, 'tunnelled');
});

t.test('what cannot work is refused before anything is captured', { skip }, async (t) => {
  const testpmd = await underLoad(t);
  const net = joinCollector();
  t.teardown(() => net.close());
  const before = await remember(testpmd);
  const wrong: [url: string, code: number, said: RegExp][] = [
    ['vxlan://203.0.113.1?vni=1', 1, /203\.0\.113\.1: there is no way to it \(ENETUNREACH\)\n.*ip route get 203/],
    [`vxlan://${COLLECTOR}?vni=1&mtu=9000`, 1, /have 1500 bytes at most \(EMSGSIZE\)\n.*mtu less than 9000/],
    [`vxlan://${COLLECTOR}?vni=1&src=192.0.2.3`, 1, /192\.0\.2\.3: it cannot be the source \(EADDRNOTAVAIL\)/],
    ['gretap://192.0.2.255?key=1', 1, /192\.0\.2\.255: .*\(EACCES\)\n.*one host/],
    ['vxlan://collector?vni=1', 2, /collector is no IP address/],
    [`erspan://${COLLECTOR}?id=1&colour=red`, 2, /unknown parameter colour/],
  ];
  for (const [url, code, said] of wrong) {
    const captured = await net.capture(testpmd, ['-i', '0', '-w', url]).ended();
    t.match(captured, { code, messages: said }, url);
  }
  const words = ['--file-prefix', testpmd.prefix, '-i', '0', '-B', '16384', '-w', 'vxlan://127.0.0.1?vni=1'];
  const lacking = await runDpcapLacking(['net_raw'], words);
  t.match(lacking, { code: 1, stderr: /raw socket.*\(EPERM\)\n.*CAP_NET_RAW/ });
  await isUnharmed(t, testpmd, before, 'refused');
});
