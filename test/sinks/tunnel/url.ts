import t from 'tap';
import { UsageError } from '../../../src/errors.js';
import type { TunnelPlan } from '../../../src/sinks/tunnel/plan.js';
import { isTunnelUrl, parseTunnelUrl } from '../../../src/sinks/tunnel/url.js';

const PLAIN: Omit<TunnelPlan, 'protocol' | 'id'> = {
  kind: 'tunnel',
  address: '192.0.2.9',
  version: 3,
  hardwareId: 0,
  hasShortTime: false,
  udpPort: 4789,
  ttl: 64,
  dscp: 0,
  maxRate: 100_000,
  queues: 1,
};

t.test('what is a tunnel, and what is a file', async (t) => {
  for (const name of ['erspan://1.2.3.4?id=1', 'vxlan://', 'GRETAP://x']) t.ok(isTunnelUrl(name), name);
  for (const name of ['./vxlan://1.2.3.4', 'vxlan:/x', 'erspan', 'http://x', '-', 'vxlan.pcap', '/vxlan://']) {
    t.notOk(isTunnelUrl(name), name);
  }
});

t.test('each protocol, with nothing but its id', async (t) => {
  t.same(parseTunnelUrl('erspan://192.0.2.9?id=1023'), { ...PLAIN, protocol: 'erspan', id: 1023 });
  t.same(parseTunnelUrl('vxlan://192.0.2.9?vni=16777215'), { ...PLAIN, protocol: 'vxlan', id: 16777215 });
  t.same(parseTunnelUrl('gretap://192.0.2.9?key=4294967295'), { ...PLAIN, protocol: 'gretap', id: 4294967295 });
});

t.test('with everything', async (t) => {
  t.same(
    parseTunnelUrl('erspan://[2001:db8::9]?id=0&src=2001:db8::1&mtu=9000&ttl=1&dscp=8&max-rate=0&hwid=63&time=short'),
    {
      ...PLAIN,
      protocol: 'erspan',
      address: '2001:db8::9',
      source: '2001:db8::1',
      id: 0,
      mtu: 9000,
      ttl: 1,
      dscp: 8,
      maxRate: 0,
      hardwareId: 63,
      hasShortTime: true,
    },
  );
  t.match(parseTunnelUrl('erspan://192.0.2.9?version=2&id=1'), { version: 2 });
  t.match(parseTunnelUrl('vxlan://[fe80::1%eth0]?vni=1&port=8472'), { address: 'fe80::1%eth0', udpPort: 8472 });
});

/** Each with what the message says, and what the hint says. */
const WRONG: [url: string, message: RegExp, hint: RegExp][] = [
  ['vxlan://?vni=1', /address of the collector is missing/, /192\.0\.2\.9/],
  ['vxlan://collector?vni=1', /collector is no IP address/, /names are not looked up/],
  ['vxlan://192.0.2.9:8472?vni=1', /no IP address/, /\?port=N/],
  ['vxlan://192.0.2.9/?vni=1', /no IP address/, /slash/],
  ['vxlan://2001:db8::9?vni=1', /no IP address/, /\[2001:db8::9\]/],
  ['vxlan://[192.0.2.9]?vni=1', /no IP address/, /brackets/],
  ['vxlan://192.0.2.256?vni=1', /no IP address/, /./],
  ['vxlan://224.0.0.1?vni=1', /not the address of one host/, /./],
  ['vxlan://255.255.255.255?vni=1', /not the address of one host/, /./],
  ['vxlan://0.0.0.0?vni=1', /not the address of one host/, /./],
  ['vxlan://[ff02::1]?vni=1', /not the address of one host/, /./],
  ['vxlan://[::]?vni=1', /not the address of one host/, /./],
  ['vxlan://192.0.2.9', /vni is missing/, /quote the whole for the shell/],
  ['vxlan://192.0.2.9?vni=', /vni= is not a whole number/, /0 to 16777215/],
  ['vxlan://192.0.2.9?vni=16777216', /not a whole number/, /0 to 16777215/],
  ['vxlan://192.0.2.9?vni=-1', /not a whole number/, /./],
  ['vxlan://192.0.2.9?vni=0x5', /not a whole number/, /./],
  ['vxlan://192.0.2.9?vni=%35', /not a whole number/, /./],
  ['vxlan://192.0.2.9?vni=1&vni=2', /vni is given twice/, /once/],
  ['vxlan://192.0.2.9?vni=1&id=2', /unknown parameter id/, /vni/],
  ['vxlan://192.0.2.9?vnl=1', /unknown parameter vnl/, /did you mean `vni`/],
  ['vxlan://192.0.2.9?vni=1&', /unknown parameter \(empty\)/, /./],
  ['vxlan://192.0.2.9?vni=1?port=5', /not a whole number/, /./],
  ['vxlan://192.0.2.9?vni=1&hwid=5', /unknown parameter hwid/, /./],
  ['erspan://192.0.2.9?id=1024', /not a whole number/, /0 to 1023/],
  ['erspan://192.0.2.9?id=1&version=1', /not a whole number/, /2 to 3/],
  ['erspan://192.0.2.9?id=1&version=2&hwid=1', /hwid is of ERSPAN version 3 alone/, /./],
  ['erspan://192.0.2.9?id=1&version=2&time=full', /time is of ERSPAN version 3 alone/, /./],
  ['erspan://192.0.2.9?id=1&time=long', /unknown value time=long/, /full or short/],
  ['gretap://192.0.2.9?key=1&mtu=575', /mtu=575 is not/, /576 to 65535/],
  ['gretap://[2001:db8::9]?key=1&mtu=1279', /mtu=1279 is not/, /1280 to 65535/],
  ['gretap://192.0.2.9?key=1&ttl=0', /ttl=0/, /1 to 255/],
  ['gretap://192.0.2.9?key=1&dscp=64', /dscp=64/, /0 to 63/],
  ['gretap://192.0.2.9?key=1&max-rate=1e3', /max-rate=1e3/, /./],
  ['gretap://192.0.2.9?key=1&src=eth0', /src=eth0 is no IP address/, /ip address/],
  ['gretap://192.0.2.9?key=1&src=2001:db8::1', /another IP version/, /./],
];

t.test('what is wrong is named, and what is right', async (t) => {
  for (const [url, message, hint] of WRONG) {
    try {
      t.fail(`${url} gave ${JSON.stringify(parseTunnelUrl(url))}`);
    } catch (error) {
      t.match(error, { message, hint, code: 'ERR_USAGE', exitCode: 2 }, url);
      t.ok(error instanceof UsageError && error.message.startsWith(`-w ${url}: `), 'it begins with the whole');
    }
  }
});
