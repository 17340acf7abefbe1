/** What is said of expressions that mean something else than they seem to; and the forms that mean what people mean. */
import t from 'tap';
import { encodeClassic } from '../../../src/filter/bpf/isa.js';
import type { FilterOptions } from '../../../src/filter/compile.js';
import { explainFilter } from '../../../src/filter/explain.js';
import { orderNote } from '../../../src/filter/text/notes.js';
import { parseVlan } from '../../../src/filter/words/vlan-ids.js';
import { concat, ether, ipv4, ipv6, mpls, tcp, udp } from '../../helpers/frames.js';
import { binding, compileFilter } from '../../helpers/native.js';

const native = binding();
const ORDER_MATTERS = [
  ...['vlan 10 or vlan 20', 'vlan 10 or ip', 'vlan and tcp or udp', '(vlan and tcp) or udp', 'mpls or udp'],
  ...[
    '(vlan 1 or vlan 100) and host 10.0.0.1',
    'pppoes && tcp || udp',
    'not vlan and tcp',
    '!vlan && tcp',
    '!(vlan 5) and ip',
  ],
  ...['not (ip or mpls) and tcp', 'ip and (vlan or arp)', 'geneve or arp'],
];
const HARMLESS = [
  ...[
    'vlan',
    'vlan 5 and tcp',
    'ip or vlan 100',
    'udp or (vlan and tcp)',
    'vlan and (tcp or udp)',
    '(vlan) and (tcp or udp)',
  ],
  ...[
    'vlan 7 and vlan 100',
    'not vlan',
    'tcp and not vlan 5',
    'not (ip) and vlan',
    'host vlan.example.org or tcp',
    'tcp or udp',
  ],
  ...['pppoes and (tcp or udp)', 'vlan 5 and not tcp', '((mpls) and (mpls)) and (ip or ip6)'],
];

t.test('expressions whose meaning depends on the order of their terms', async (t) => {
  for (const text of ORDER_MATTERS) t.ok(orderNote(text), text);
  for (const text of HARMLESS) t.equal(orderNote(text), undefined, text);
  t.match(orderNote('vlan 10 or vlan 20'), /--vlan 10,20/);
});

const verdicts = (options: FilterOptions, frames: Uint8Array[]): number[] => {
  const program = compileFilter(options);
  return [...native.runExtended(program?.extended as Uint8Array, frames)];
};

t.test('the note is true, and so is what it advises', async (t) => {
  const web = ipv4(6, tcp(1, 80, 2));
  const dns = ipv4(17, udp(1, 53));
  const frames = [ether(0x0800, web, [{ tpid: 0x8100, vid: 10 }]), ether(0x0800, web, [{ tpid: 0x8100, vid: 20 }])];
  t.same(verdicts({ expressions: ['vlan 10 or vlan 20'] }, frames), [1, 0], 'the second is looked for behind a tag');
  t.same(verdicts({ vlan: parseVlan(['10,20']) }, frames), [1, 1]);
  const others = [ether(0x8847, mpls([5], web)), ether(0x0800, dns)];
  t.same(verdicts({ expressions: ['(mpls and tcp) or udp'] }, others), [1, 0]);
  t.same(verdicts({ expressions: ['udp or (mpls and tcp)'] }, others), [1, 1]);
});

t.test('where they are shown', async (t) => {
  const program = compileFilter({ expressions: ['vlan 10 or vlan 20'] });
  t.match(program?.notes, [/behind `vlan`/]);
  t.match(explainFilter(program, 'auto'), /note: as in tcpdump, all that stands behind `vlan`/);
  t.match(
    explainFilter(compileFilter({ expressions: ['tcp port 80'] }), 'auto'),
    /note: .*`tcp` looks at the first next-header/,
  );
  t.same(compileFilter({ expressions: ['tcp port 80'] })?.notes, [], 'not on the start line');
  t.same(compileFilter({ words: { port: ['80'] } })?.hints, []);
  t.same(compileFilter({ filters: ['jumbo'] })?.notes, [], 'filters of ours know what they say');
});

t.test('a verifier that walks every way gets programs with fewer ways', async (t) => {
  const destination = (next: number, rest: Uint8Array): Uint8Array => concat([next, 0, 1, 4, 0, 0, 0, 0], rest);
  const behind = (count: number): Uint8Array => {
    let packet = udp(1, 53);
    for (let at = 0; at < count; at++) packet = destination(at === 0 ? 17 : 60, packet);
    return ether(0x86dd, ipv6(count === 0 ? 17 : 60, packet));
  };
  const frames = [behind(0), behind(1), behind(2), behind(3), behind(6), behind(7)];
  const found = (most: number): { verdicts: number[]; notes: string[] } => {
    const slow = {
      ...native,
      verifyExtended: (program: Uint8Array) => {
        if (program.length / 8 > most)
          throw Object.assign(new Error('needs more than 1000 ms'), { errno: 'ETIMEDOUT' });
      },
    };
    const program = compileFilter({ words: { port: ['53'] } }, { native: slow });
    return {
      verdicts: [...native.runExtended(program?.extended as Uint8Array, frames)],
      notes: program?.notes ?? [],
    };
  };
  t.match(found(10_000), { verdicts: [1, 1, 1, 1, 1, 0], notes: [] });
  t.match(found(450), { verdicts: [1, 1, 1, 0, 0, 0], notes: [/2 extension headers/] });
  t.match(found(250), { verdicts: [1, 0, 0, 0, 0, 0], notes: [/not looked behind/] });
  t.throws(() => found(10), { code: 'ERR_FILTER_UNSUPPORTED' });
});

t.test('libpcap agrees with the examples', async (t) => {
  const program = encodeClassic(native.compileFilter('vlan 10 or vlan 20'));
  const tagged = (vid: number): Uint8Array => ether(0x0800, ipv4(6, tcp(1, 80, 2)), [{ tpid: 0x8100, vid }]);
  t.same([...native.runClassic(program, [tagged(10), tagged(20)])], [1, 0]);
});
