/** DPVS's table of filter semantics, line by line, with our answers; docs/filters.md says where and why they differ. */
import t from 'tap';
import { parsePdump } from '../../src/pdump/grammar.js';
import { arp, concat, ether, icmp, ipv4, ipv6, tcp, u16, udp } from '../helpers/frames.js';
import { binding, compileFilter } from '../helpers/native.js';

const FILTERS = {
  none: '',
  udp: ',proto=udp',
  port: ',proto-port=53',
  host4: ',host=10.0.0.1',
  host6: ',host=2001:db8::1',
  loopback6: ',host=::1',
  any: ',host=0.0.0.0',
};
const dns = udp(1000, 53);
const tag = { tpid: 0x8100, vid: 5 };
/** A destination options header in front of UDP. */
const extended = concat([17, 0, 1, 4, 0, 0, 0, 0], dns);

/** Columns: none, udp, port, host4, host6, loopback6, any. Y: passes. */
const TABLE: [frame: string, bytes: Uint8Array, ours: string, dpvs: string][] = [
  ['IPv4 UDP', ether(0x0800, ipv4(17, dns)), 'YYYY---', 'YYYY-YY'],
  ['IPv4 TCP', ether(0x0800, ipv4(6, tcp(1, 53, 2))), 'Y-YY---', 'Y-YY-YY'],
  ['IPv4 SCTP', ether(0x0800, ipv4(132, concat(u16(1), u16(53), new Array(12).fill(0)))), 'Y-YY---', 'Y--Y-YY'],
  ['one 802.1Q tag', ether(0x0800, ipv4(17, dns), [tag]), 'YYYY---', 'YYYY-YY'],
  ['two tags', ether(0x0800, ipv4(17, dns), [tag, tag]), 'YYYY---', 'Y------'],
  ['802.1ad', ether(0x0800, ipv4(17, dns), [{ tpid: 0x88a8, vid: 5 }]), 'YYYY---', 'Y------'],
  ['IPv6 UDP', ether(0x86dd, ipv6(17, dns)), 'YYY-Y--', 'YYY-Y-Y'],
  ['IPv6, extension header, UDP', ether(0x86dd, ipv6(60, extended)), 'YYY-Y--', 'Y---Y-Y'],
  // The first bytes of the payload look like ports.
  ['later IPv4 fragment', ether(0x0800, ipv4(17, dns, { fragment: 5 })), 'YY-Y---', 'YYYY-YY'],
  ['ARP', ether(0x0806, arp(1)), 'Y--Y---', 'Y--Y-YY'],
  ['LLDP', ether(0x88cc, new Uint8Array(46)), 'Y------', 'Y------'],
];

t.test('table', async (t) => {
  const frames = TABLE.map(([, bytes]) => bytes);
  const verdicts = Object.values(FILTERS).map((words) => {
    const { filter } = parsePdump(`port=0,queue=*,rx-dev=x${words}`);
    const program = compileFilter({ words: filter });
    return program ? [...binding().runExtended(program.extended, frames)] : frames.map(() => 1);
  });
  TABLE.forEach(([name, , ours, dpvs], at) => {
    const passes = verdicts.map((column) => (column[at] ? 'Y' : '-')).join('');
    t.equal(passes, ours, `${name}${ours === dpvs ? '' : `, where DPVS has ${dpvs}`}`);
  });
});

t.test('further rules', async (t) => {
  const verdict = (words: string, bytes: Uint8Array): number | undefined =>
    binding().runExtended(
      compileFilter({ words: parsePdump(`port=0,queue=*,rx-dev=x,${words}`).filter })?.extended as Uint8Array,
      [bytes],
    )[0];
  const v4 = ether(0x0800, ipv4(17, dns));
  t.equal(verdict('host=10.0.0.1,src-host=10.0.0.2', v4), 0, 'all are ANDed');
  t.equal(verdict('host=10.0.0.2,src-host=10.0.0.1,dst-port=53', v4), 1);
  t.equal(verdict('host=::ffff:10.0.0.1', v4), 0, 'an IPv6 address is never compared with IPv4');
  t.equal(verdict('proto=icmp', ether(0x0800, ipv4(1, icmp(8)))), 1);
  t.equal(verdict('proto=icmp', ether(0x86dd, ipv6(1, icmp(8)))), 0, 'icmp is IPv4');
  t.equal(verdict('proto=icmp6', ether(0x86dd, ipv6(58, icmp(128)))), 1);
  t.equal(verdict('proto=icmp6', ether(0x0800, ipv4(58, icmp(128)))), 0, 'icmp6 is IPv6');
  t.equal(verdict('proto-port=53', v4), 1, 'proto-port needs no src-port or dst-port beside it');
  t.equal(verdict('proto-port=53', v4.slice(0, 30)), 0, 'a truncated header is not read beyond its end');
});
