import t from 'tap';
import type { SinkRemark } from '../../../src/native/capture-binding.js';
import { TUNNEL } from '../../../src/sinks/tunnel/tunnel.js';
import { parseTunnelUrl } from '../../../src/sinks/tunnel/url.js';

t.test('its name is short, and a tunnel', async (t) => {
  for (const url of ['erspan://192.0.2.9?id=5', 'vxlan://[2001:db8::9]?vni=7', 'gretap://192.0.2.9?key=0']) {
    t.equal(TUNNEL.nameOf(parseTunnelUrl(`${url}&ttl=9`)), url);
  }
});

t.test('what cannot be opened is refused by this host, with the address that is the obstacle', async (t) => {
  const opened = (url: string) => (): unknown => TUNNEL.open(parseTunnelUrl(url), () => false);
  t.throws(opened('vxlan://127.0.0.1?vni=1&src=192.0.2.77'), {
    code: 'ERR_SINK_OPEN',
    errno: 'EADDRNOTAVAIL',
    subject: '192.0.2.77',
    hint: /address of this host/,
  });
  t.throws(opened('gretap://[fe80::1%nonesuch]?key=1'), { code: 'ERR_SINK_OPEN', errno: 'EINVAL' });
});

t.test('each remark is a sentence of its own', async (t) => {
  const plan = parseTunnelUrl('erspan://192.0.2.9?id=5&max-rate=7');
  const remarks: SinkRemark[] = ['cut', 'rate', 'own', 'ECONNREFUSED', 'ENOPROTOOPT', 'EHOSTUNREACH', 'ENETUNREACH'];
  const rest: SinkRemark[] = ['EMSGSIZE', 'ENOBUFS', 'EPERM', 'EIO'];
  const said = [...remarks, ...rest].map((remark) => TUNNEL.news?.(plan, remark));
  t.equal(new Set(said).size, said.length);
  t.match(TUNNEL.news?.(plan, 'rate'), /more than 7 packets a second .* sinkdrop: max-rate=N/);
  t.match(TUNNEL.news?.(plan, 'EHOSTUNREACH'), /192\.0\.2\.9 .*does not answer.*\(EHOSTUNREACH\).*sinkdrop/);
});
