/** For each named filter, frames it must select and frames that look like them and that it must reject. */
import { arp, BROADCAST, concat, ether, icmp, ipv4, ipv6, MAC_A, MAC_B, mpls, tcp, u16, udp } from './frames.js';

type Bytes = Uint8Array | number[];
const v4 = (protocol: number, payload: Bytes): Uint8Array => ether(0x0800, ipv4(protocol, Uint8Array.from(payload)));
const v6 = (next: number, payload: Bytes): Uint8Array => ether(0x86dd, ipv6(next, Uint8Array.from(payload)));
const blank = (length: number): number[] => new Array(length).fill(0);
const t4 = (port: number, flags = 0x18, payload: Bytes = []): Uint8Array => v4(6, tcp(40000, port, flags, payload));
const t6 = (port: number, flags = 0x18, payload: Bytes = []): Uint8Array => v6(6, tcp(40000, port, flags, payload));
const u4 = (port: number, payload: Bytes = []): Uint8Array => v4(17, udp(40000, port, payload));
const u6 = (port: number, payload: Bytes = []): Uint8Array => v6(17, udp(40000, port, payload));
const raw = (type: number, first = 0, dst = MAC_B): Uint8Array => ether(type, concat([first], blank(45)), [], dst);
const llc = (sap: number): Uint8Array => ether(43, concat([sap, sap, 3], blank(40)), [], [1, 0x80, 0xc2, 0, 0, 0]);
/** An ICMPv6 message behind a hop-by-hop header with a router alert. */
const alerted = (type: number): Uint8Array => v6(0, [58, 0, 5, 2, 0, 0, 1, 0, type, ...blank(23)]);
const clientHello = [22, 3, 1, ...u16(100), 1];

/** [selected, rejected] */
export const NAMED_CASES: Record<string, [Uint8Array[], Uint8Array[]]> = {
  arp: [[ether(0x0806, arp(1)), ether(0x8035, arp(3))], [u4(53)]],
  icmp: [
    [v4(1, icmp(8)), v6(58, icmp(128))],
    [u4(1), v4(58, icmp(128))],
  ],
  ping: [
    [v4(1, icmp(8)), v4(1, icmp(0)), v6(58, icmp(128)), v6(58, icmp(129))],
    [v4(1, icmp(3)), v6(58, icmp(135))],
  ],
  'icmp-errors': [
    [v4(1, icmp(3)), v4(1, icmp(11)), v4(1, icmp(5)), v6(58, icmp(1)), v6(58, icmp(2)), v6(58, icmp(137))],
    [v4(1, icmp(8)), v6(58, icmp(128)), v6(58, icmp(135)), u4(3)],
  ],
  ndp: [
    [v6(58, icmp(133)), v6(58, icmp(135)), v6(58, icmp(137))],
    [v6(58, icmp(128)), v4(1, icmp(135))],
  ],
  dns: [
    [u4(53), t4(53), u6(53), u4(5353)],
    [u4(54), t4(5353)],
  ],
  mdns: [
    [u4(5353), u6(5353)],
    [u4(53), t4(5353)],
  ],
  dhcp: [
    [u4(67), u4(68), u6(546), u6(547)],
    [t4(67), u4(69)],
  ],
  ntp: [[u4(123), u6(123)], [t4(123)]],
  ptp: [
    [raw(0x88f7), u4(319), u6(320)],
    [raw(0x88f8), u4(321), t4(319)],
  ],
  http: [
    [t4(80), t6(8080), t4(8000)],
    [t4(443), u4(80)],
  ],
  'tls-handshake': [
    [t4(443, 0x18, clientHello), t4(8443, 0x18, clientHello), t6(443, 0x18, clientHello)],
    [t4(443, 0x18, [23, 3, 3, 0, 5]), t4(443), t6(443, 0x10), u4(443, clientHello)],
  ],
  'tcp-syn': [
    [t4(1, 2), t4(1, 0x12), t6(1, 2)],
    [t4(1, 0x10), t6(1, 0x11), u4(1)],
  ],
  'tcp-rst': [
    [t4(1, 4), t6(1, 0x14)],
    [t4(1, 2), t6(1, 0x11)],
  ],
  'tcp-fin': [
    [t4(1, 1), t6(1, 0x11)],
    [t4(1, 4), t6(1, 0x10)],
  ],
  'tcp-control': [
    [t4(1, 2), t4(1, 0x11), t6(1, 4)],
    [t4(1, 0x18, [1, 2, 3]), t6(1, 0x10), u4(7)],
  ],
  ssh: [
    [t4(22), t6(22)],
    [u4(22), t4(23)],
  ],
  bgp: [[t4(179), t6(179)], [u4(179)]],
  ospf: [[v4(89, blank(24)), v6(89, blank(24))], [v4(88, blank(24))]],
  isis: [[ether(43, concat([0xfe, 0xfe, 3, 0x83], blank(39)))], [llc(0x42)]],
  rip: [[u4(520), u6(521)], [t4(520)]],
  vrrp: [[v4(112, blank(20)), v6(112, blank(20))], [v4(113, blank(20))]],
  bfd: [
    [u4(3784), u4(3785), u6(4784), u4(6784)],
    [t4(3784), u4(3786)],
  ],
  ldp: [[u4(646), t4(646)], [u4(647)]],
  lacp: [[raw(0x8809, 1)], [raw(0x8809, 2), raw(0x8808, 1)]],
  lldp: [[raw(0x88cc)], [raw(0x88cd)]],
  stp: [[llc(0x42)], [llc(0xaa), raw(0x88cc)]],
  igmp: [[v4(2, blank(8))], [v4(3, blank(8))]],
  mld: [
    [alerted(130), alerted(143), v6(58, icmp(131)), v6(58, icmp(143))],
    [alerted(128), v6(58, icmp(135)), v4(1, icmp(130))],
  ],
  pim: [[v4(103, blank(8)), v6(103, blank(8))], [v4(104, blank(8))]],
  sip: [
    [u4(5060), t4(5061), t6(5060)],
    [u4(5061), t4(5062)],
  ],
  rtp: [
    [u4(16384, [0x80, 0]), u4(20000, [0x90, 96]), u6(30000, [0x80, 8])],
    [u4(20000, [0x40, 0]), u4(5004, [0x80, 0]), t4(20000), u6(30000, [0, 8])],
  ],
  vxlan: [
    [u4(4789), u6(4789)],
    [u4(4788), v4(17, udp(4789, 5, []))],
  ],
  geneve: [[u4(6081)], [u4(6080)]],
  gre: [[v4(47, blank(8)), v6(47, blank(8))], [v4(48, blank(8))]],
  ipip: [[v4(4, ipv4(6, tcp(1, 2, 2))), v4(41, blank(40)), v6(4, blank(20))], [v4(47, blank(20))]],
  gtp: [[u4(2152), u4(2123), u4(3386)], [t4(2152)]],
  mpls: [[ether(0x8847, mpls([16], ipv4(6, tcp(1, 2, 2))))], [t4(1)]],
  pppoe: [[raw(0x8863, 0x11), raw(0x8864, 0x11)], [raw(0x8862, 0x11)]],
  ipsec: [
    [v4(50, blank(16)), v6(51, blank(16)), u4(4500)],
    [v4(52, blank(16)), u4(500)],
  ],
  isakmp: [
    [u4(500), u6(4500)],
    [t4(500), v4(50, blank(16))],
  ],
  quic: [[u4(443), u6(443)], [t4(443)]],
  snmp: [[u4(161), u6(162)], [t4(161)]],
  syslog: [[u4(514), t4(514), t4(6514)], [u4(6514)]],
  broadcast: [[raw(0x0800, 0x45, BROADCAST)], [raw(0x0800, 0x45, [1, 0, 0x5e, 0, 0, 1]), t4(1)]],
  multicast: [
    [raw(0x0800, 0x45, [1, 0, 0x5e, 0, 0, 1]), llc(0x42)],
    [raw(0x0800, 0x45, BROADCAST), t4(1)],
  ],
  jumbo: [[ether(0x0800, Uint8Array.from(blank(1505)))], [ether(0x0800, Uint8Array.from(blank(1504))), t4(1)]],
  fragments: [
    [
      ether(0x0800, ipv4(17, udp(1, 2, blank(8)), { fragment: 0x2000 })),
      ether(0x0800, ipv4(17, Uint8Array.from(blank(8)), { fragment: 5 })),
      v6(44, blank(16)),
    ],
    [ether(0x0800, ipv4(17, udp(1, 2), { fragment: 0x4000 })), v6(17, udp(1, 2))],
  ],
  'no-ssh': [
    [t4(80), u4(22), ether(0x0806, arp(1), [], BROADCAST, MAC_A)],
    [t4(22), t6(22)],
  ],
};
