/** Words as flow rules: each alternative is one, and what no rule can say is refused. */
import t from 'tap';
import { matchOf } from '../../../src/mirror/hardware/pattern.js';
import { patternText, ruleLine, sampleLine } from '../../../src/mirror/hardware/testpmd.js';
import { type FlowWords, MOST_RULES, patternsOf } from '../../../src/mirror/hardware/words.js';

/** What is known of an error: one or the other of these. */
type Told = { hint?: RegExp | string; exitCode?: number } & ({ message: RegExp } | { code: string });

const INGRESS = { isTransfer: false, source: 0 };
/** The rules' patterns, as testpmd writes them. */
function texts(words: Partial<FlowWords>): string[] {
  return patternsOf({ expression: '', ...words }).map((one) => patternText(INGRESS, one));
}

t.test('alternatives are rules', async (t) => {
  t.same(texts({}), ['eth'], 'no word: one rule for all');
  t.same(texts({ host: ['192.0.2.1'] }), ['eth / ipv4 src is 192.0.2.1', 'eth / ipv4 dst is 192.0.2.1']);
  t.same(texts({ srcHost: ['192.0.2.1', '2001:db8::1'] }), [
    'eth / ipv4 src is 192.0.2.1',
    'eth / ipv6 src is 2001:db8::1',
  ]);
  t.same(texts({ proto: ['tcp'] }), ['eth / ipv4 / tcp', 'eth / ipv6 / tcp']);
  t.same(texts({ proto: ['icmp', 'arp'] }), ['eth / ipv4 proto is 1', 'eth type is 0x0806']);
  t.same(texts({ proto: ['ip6'], vlan: ['5-6'] }), ['eth / vlan vid is 5 / ipv6', 'eth / vlan vid is 6 / ipv6']);
  t.same(texts({ proto: ['arp'], vlan: ['7'] }), ['eth / vlan vid is 7 inner_type is 0x0806']);
  t.same(texts({ vlan: ['none'] }), ['eth has_vlan is 0']);
  t.equal(texts({ port: ['53'] }).length, 12, 'tcp, udp and sctp, of IPv4 and IPv6, from and to');
  t.same(texts({ dstPort: ['53'], proto: ['udp'], dstHost: ['10.0.0.1'] }), [
    'eth / ipv4 dst is 10.0.0.1 / udp dst is 53',
  ]);
  t.same(texts({ expression: 'ether src 02:0:00:00:00:0f and ether dst host 2:0:0:0:0:1' }), [
    'eth src is 02:00:00:00:00:0f dst is 02:00:00:00:00:01',
  ]);
  t.equal(texts({ expression: 'ether host 02:00:00:00:00:0f' }).length, 2);
});

t.test('words that hold together', async (t) => {
  const inside = texts({ net: ['10.0.0.0/8'], srcHost: ['10.1.2.3'] });
  t.same(inside, ['eth / ipv4 src is 10.1.2.3', 'eth / ipv4 src is 10.1.2.3 dst spec 10.0.0.0 dst mask 255.0.0.0']);
  t.same(texts({ net: ['10.0.0.0/8'], srcHost: ['192.0.2.1'] }), [
    'eth / ipv4 src is 192.0.2.1 dst spec 10.0.0.0 dst mask 255.0.0.0',
  ]);
});

t.test('refused, with what to write instead', async (t) => {
  const refused = (words: Partial<FlowWords>, error: Told): void => {
    t.throws(() => texts(words), { exitCode: 2, ...error });
  };
  const unsupported = { code: 'ERR_FILTER_UNSUPPORTED' };
  refused({ expression: 'udp port 53' }, { ...unsupported, hint: /--proto, --port/ });
  refused({ expression: 'ether host 02:00:00:00:00:0f or arp' }, unsupported);
  refused({ expression: 'ether host 02:00:00:00:00' }, unsupported);
  refused({ port: ['80-90'] }, { ...unsupported, hint: /--port 80 --port 81/ });
  refused({ vlan: ['strict'] }, { message: /--vlan strict/ });
  refused({ vlan: ['0-40'] }, { message: /take 41 flow rules, and a mirror has at most 32/ });
  refused({ proto: ['icmp'], port: ['53'] }, { message: /no packet matches/ });
  refused({ srcHost: ['192.0.2.1'], net: ['2001:db8::/32'] }, { message: /no packet matches/ });
  t.equal(texts({ vlan: [`1-${MOST_RULES}`] }).length, MOST_RULES);
});

t.test('what the agent gets', async (t) => {
  const [pattern] = patternsOf({ expression: '', net: ['10.16.0.0/12'], proto: ['udp'], srcPort: ['53'], vlan: ['9'] });
  t.match(matchOf(pattern ?? {}), {
    isTagged: true,
    vlanTci: 9,
    vlanTciMask: 0xfff,
    ipVersion: 4,
    sourceIp: Uint8Array.of(10, 16, 0, 0),
    sourceIpMask: Uint8Array.of(255, 240, 0, 0),
    targetIpMask: new Uint8Array(),
    portsOf: 17,
    protocolMask: 0,
    sourcePort: 53,
    sourcePortMask: 0xffff,
    targetPortMask: 0,
  });
  const [icmp] = patternsOf({ expression: '', proto: ['icmp'] });
  t.match(matchOf(icmp ?? {}), { ipVersion: 4, protocol: 1, protocolMask: 255, portsOf: 0, isTagged: false });
});

t.test('rules as testpmd takes them', async (t) => {
  const frame = {
    ...{ through: 0, source: 3, isTransfer: true, counts: false, ratio: 2 },
    copy: { kind: 'port', value: 1, device: 'x' },
    fate: { kind: 'drop', value: 0, device: '' },
  } as const;
  t.equal(sampleLine(frame), 'set sample_actions 0 represented_port ethdev_port_id 1 / end');
  t.equal(
    ruleLine('create', frame, {}),
    'flow create 0 transfer pattern represented_port ethdev_port_id is 3 / eth / end actions sample ratio 2 index 0 / drop / end',
  );
});
