/** "Did you mean ...": near misses of the words a filter may hold. */

/** libpcap's words for Ethernet, without those of other link types. */
export const KEYWORDS: readonly string[] = [
  ...['src', 'dst', 'host', 'net', 'mask', 'port', 'portrange', 'proto', 'protochain', 'gateway', 'ether', 'link'],
  ...[
    'ip',
    'ip6',
    'arp',
    'rarp',
    'tcp',
    'udp',
    'icmp',
    'icmp6',
    'sctp',
    'igmp',
    'igrp',
    'pim',
    'vrrp',
    'carp',
    'esp',
    'ah',
  ],
  ...['less', 'greater', 'broadcast', 'multicast', 'and', 'or', 'not', 'len', 'inbound', 'outbound', 'ifindex'],
  ...['vlan', 'mpls', 'pppoed', 'pppoes', 'geneve', 'llc', 'stp', 'ipx', 'netbeui', 'iso', 'clnp', 'isis', 'esis'],
  ...['tcpflags', 'tcp-fin', 'tcp-syn', 'tcp-rst', 'tcp-push', 'tcp-ack', 'tcp-urg', 'icmptype', 'icmpcode'],
  ...['icmp6type', 'icmp6code', 'icmp-echo', 'icmp-echoreply', 'icmp-unreach', 'icmp-redirect', 'icmp-timxceed'],
];

/** Tunnels that `--inner` looks into (most unknown to libpcap), with the named filter for packets that carry them. */
const TUNNELS = new Map([
  ...['vxlan'].map((name) => [name, 'vxlan'] as const),
  ...['geneve'].map((name) => [name, 'geneve'] as const),
  ...['gre', 'nvgre', 'gretap', 'ip6gre', 'erspan'].map((name) => [name, 'gre'] as const),
  ...['gtp', 'gtpu', 'gtp-u', 'gtpv1', 'gtp1'].map((name) => [name, 'gtp'] as const),
  ...['ipip', 'ip-in-ip', 'ipinip', 'ip4ip6', 'ip6ip6', '4in6', '6in4', 'sit', 'ip6tnl'].map(
    (name) => [name, 'ipip'] as const,
  ),
]);

/** The hint for a tunnel's name used as a filter's word: how to look into the tunnel, and how to find its packets. */
export function tunnelHint(word: string): string | undefined {
  const filter = TUNNELS.get(word.toLowerCase());
  if (filter === undefined) return undefined;
  return `for what is inside the tunnel use --inner with the rest of the filter; for the packets around it --filter ${filter}`;
}

/** The edit distance: insertions, deletions, replacements, and swaps of neighbours. */
function distance(a: string, b: string): number {
  const rows: number[][] = Array.from({ length: a.length + 1 }, (_, i) => [i]);
  const cell = (i: number, j: number): number => rows[i]?.[j] ?? j;
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min(cell(i - 1, j) + 1, cell(i, j - 1) + 1, cell(i - 1, j - 1) + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, cell(i - 2, j - 2) + 1);
      (rows[i] as number[])[j] = best;
    }
  }
  return cell(a.length, b.length);
}

/** The nearest of `choices`, at most two mistakes away (one for short words); several when they are equally near. */
export function nearest(word: string, choices: readonly string[]): string[] {
  const lower = word.toLowerCase();
  const limit = lower.length <= 4 ? 1 : 2;
  const scored = choices.map((choice) => ({ choice, score: distance(lower, choice) }));
  const best = Math.min(limit, ...scored.map(({ score }) => score));
  return scored.filter(({ score }) => score === best && score > 0).map(({ choice }) => choice);
}

/** "did you mean `a` or `b`?", or undefined. */
export function didYouMean(word: string, choices: readonly string[]): string | undefined {
  const found = nearest(word, choices);
  if (found.length === 0 || found.length > 3) return undefined;
  return `did you mean ${found.map((choice) => `\`${choice}\``).join(' or ')}?`;
}
