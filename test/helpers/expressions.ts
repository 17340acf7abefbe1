/** Expressions for differential tests: at least one for each kind of instruction, header and place in the frame. */
export const EXPRESSIONS: readonly string[] = [
  // protocols
  ...[
    'arp',
    'rarp',
    'ip',
    'ip6',
    'tcp',
    'udp',
    'icmp',
    'icmp6',
    'sctp',
    'igmp',
    'pim',
    'vrrp',
    'esp',
    'ah',
    'stp',
    'llc',
  ],
  ...[
    'proto 47',
    'ip proto 89',
    'ip6 proto 58',
    'ether proto 0x88cc',
    'ether proto \\ip',
    'not ip',
    'not tcp',
    'iso',
    'ipx',
  ],
  // addresses
  ...['host 10.0.0.1', 'src host 10.0.0.2', 'dst host 192.168.1.7', 'not host 10.0.0.1', 'host 10.0.0.1 and 10.0.0.2'],
  ...[
    'host 2001:db8::1',
    'src host fe80::1',
    'dst host ff02::1',
    'ip6 host ::1',
    'net 10.0.0.0/8',
    'src net 192.168.0.0/16',
  ],
  ...['net 2001:db8::/32', 'dst net 10.1.0.0/16', 'host 10.0.0.1 or host 10.1.2.3 or host 8.8.8.8 or host 2001:db8::2'],
  ...['ether host 02:00:00:00:00:0a', 'ether src 02:00:00:00:00:0b', 'ether dst ff:ff:ff:ff:ff:ff', 'ether broadcast'],
  ...[
    'ether multicast',
    'ip multicast',
    'ip6 multicast',

    'multicast',
    'arp host 10.0.0.1',
    'arp[6:2] = 1',
  ],
  // ports
  ...[
    'port 80',
    'tcp port 80',
    'udp port 53',
    'src port 443',
    'dst port 22',
    'portrange 80-90',
    'tcp dst portrange 20-25',
  ],
  ...['sctp port 80', 'not port 80', 'port 80 or port 443 or port 8080', 'tcp port 80 and host 10.0.0.1', 'port 65535'],
  // flags and types
  ...[
    'tcp[tcpflags] & (tcp-syn|tcp-fin) != 0',
    'tcp[tcpflags] == tcp-syn',
    'tcp[13] & 2 != 0',
    'tcp[tcpflags] & tcp-rst != 0',
  ],
  ...['icmp[icmptype] == icmp-echo', 'icmp[icmptype] != icmp-echo and icmp[icmptype] != icmp-echoreply', 'icmp[1] = 3'],
  ...[
    'icmp6[icmp6type] == 135',
    'icmp6[0] >= 133 and icmp6[0] <= 136',
    'tcp[4:4] = 1',
    'tcp[8:4] > 1',
    'tcp[2:2] = 80',
  ],
  // fragments, lengths, header fields
  ...['ip[6:2] & 0x1fff != 0', 'ip[6:2] & 0x2000 != 0', 'ip[8] < 64', 'ip[0] & 0xf > 5', 'ip[2:2] > 100', 'len > 100'],
  ...[
    'less 60',
    'greater 1000',
    'len <= 64 and ip',
    'len - ip[2:2] > 14',
    'ip[2:2] - ((ip[0]&0xf)<<2) > 40',
    'len = 14',
  ],
  // payload and arithmetic
  ...[
    'tcp[((tcp[12:1] & 0xf0) >> 2):4] = 0x47455420',
    'udp[8] = 0',
    'udp[20:4] = 0x80000001',
    'ip[ip[0]] = 4',
    'ip[16:4] * 2 = 8',
  ],
  ...[
    'ether[0] & 1 = 0 and ip[16] >= 224',
    'ip[12:4] > 0x80000000',
    'ip[12:4] >= 0xc0a80000',
    'ip[12:4] & 0x80000000 != 0',
  ],
  ...[
    'ip[12:4] = 0xc0a80107',
    'ip[8] / 2 = 32',
    'ip[8] % 3 = 1',
    'ip[8] ^ 255 = 191',
    '-ip[8] = 0xffffffc0',
    'ip[8] | 1 = 65',
  ],
  ...[
    'ip[8] << 3 = 512',
    '1 << ip[8] = 0',
    'ip[16:4] >> ip[8] = 0',
    'ip[8] / (ip[9] - 6) = 1',
    'len % (ip[1] + 1) = 0',
  ],
  // around byte 12, with and without tags
  ...[
    'ether[10:4] = 0x000a0800',
    'ether[11:2] = 0x0a08',
    'ether[9:4] & 0xff = 8',
    'ether[11:4] & 0xffff = 0',
    'ether[12:2] = 0x800',
  ],
  ...[
    'ether[8:4] = 10',
    'ether[12] = 8',
    'ether[13] = 0',
    'ether[14] & 0xf0 = 0x40',
    'ether[ether[11]:2] = 0x0a08',
    'ether[ether[5]:4] > 0',
  ],
  ...[
    'ether[ether[0]:4] != 0',
    'ether[ether[11] - 1:4] = 0xa0800',
    'ether[ether[5]:2] != 0',
    'ether[ether[11] + 4] = 0x45',
  ],
  // beyond any packet
  ...[
    'ether[0x7fffffff] = 0',
    'ether[0x7fffffc0:4] = 0',
    'ether[0xfffffff0 - ip[0]] = 0',
    'ip[ip[16:4]] = 0',
    'ip[0xffff0000 + ip[2:2]:4] = 0',
  ],
  ...['ether[0xff000000 + ether[11]] = 0 or ip', 'ether[0xffffefff:4] = 0', 'ip[0 - ip[8]:2] = 0'],
  // tunnels
  ...[
    'mpls',
    'mpls 100',
    'mpls 100 and mpls 200',
    'pppoes',
    'pppoes and ip',
    'geneve',
    'geneve 42 and ip',
    'udp port 4789',
  ],
  ...['udp port 4789 and udp[11:4] & 0xffffff = 42', 'geneve and tcp port 80', 'ip proto 47 and ip[20:2] = 0'],
  // combinations
  ...[
    'not (tcp or udp) and ip',
    '(tcp or udp) and (port 53 or port 123) and not host 8.8.8.8',
    'ip and not tcp port 22',
  ],
  ...[
    'tcp portrange 80-90 and tcp[13] & 7 != 0 and src net 10.0.0.0/8',
    'ip6 and tcp port 179',
    'not arp and not ip6 and not icmp',
  ],
];

/** Expressions that speak of tags: these mean the same in both modes. */
export const VLAN_EXPRESSIONS: readonly string[] = [
  ...['vlan', 'vlan 100', 'vlan and ip', 'vlan 7 and vlan 100', 'vlan and tcp port 80', 'not vlan', 'ip or vlan 100'],
  ...['vlan and vlan and vlan', '(vlan 1 or vlan 100) and host 10.0.0.1', 'vlan and icmp6'],
  ...[
    'ether[12] = 0x81',
    'ether[13] = 0xa8',
    'ether[12:4] = 0x81000064',
    'ether[16:2] = 0x8100',
    'ether[15:2] & 255 = 8',
  ],
];
