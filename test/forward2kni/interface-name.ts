import t from 'tap';
import { interfaceNames } from '../../src/forward2kni/interface-name.js';

const port = (name: string, id = 3) => ({ id, name });
const both = (name: string) => ({ rx: name, tx: name });

t.same(interfaceNames(port('net_null0'), undefined, false), both('net_null0.kni'));
t.same(interfaceNames(port('net_af_pack'), undefined, false), both('net_af_pack.kni'), '15 characters');
t.same(interfaceNames(port('net_af_packet0'), undefined, false), both('dpdk3.kni'), 'one too many');
t.same(interfaceNames(port('0000:06:00.0'), undefined, false), both('dpdk3.kni'), 'no colons in interface names');
t.same(interfaceNames(port('net_ring0'), 'mine', false), both('mine'));
t.same(interfaceNames(port('dpdk0'), undefined, true), { rx: 'dpdk0.kni-rx', tx: 'dpdk0.kni-tx' });
t.same(interfaceNames(port('net_null0'), undefined, true), { rx: 'dpdk3.kni-rx', tx: 'dpdk3.kni-tx' });

for (const bad of ['', 'sixteen-letters-', 'a b', 'a/b', 'a:b', 'kni%d', '.', '..', 'ä'.repeat(8)]) {
  const refusal = { code: 'ERR_USAGE', subject: bad, hint: /1 to 15 characters/ };
  t.throws(() => interfaceNames(port('dpdk0'), bad, false), refusal, JSON.stringify(bad));
}
t.throws(() => interfaceNames(port('dpdk0'), 'thirteen-char', true), { code: 'ERR_USAGE', hint: /1 to 12 characters/ });
