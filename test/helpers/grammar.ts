/** Random expressions that libpcap's grammar takes. */
import type { Random } from './random.js';

const HEADERS = ['ether', 'ip', 'ip6', 'tcp', 'udp', 'icmp', 'icmp6', 'arp'];
const ATOMS = [
  ...['tcp', 'udp', 'icmp', 'icmp6', 'ip', 'ip6', 'arp', 'sctp', 'esp', 'igmp', 'ether broadcast', 'ether multicast'],
  ...[
    'host 10.0.0.1',
    'src host 10.0.0.2',
    'net 10.0.0.0/8',
    'host 2001:db8::1',
    'ip6 host fe80::1',
    'dst net 192.168.0.0/16',
  ],
  ...['port 80', 'src port 53', 'tcp dst port 22', 'portrange 80-90', 'udp portrange 60-70', 'ip proto 47', 'proto 58'],
  ...[
    'less 60',
    'greater 100',
    'ether host 02:00:00:00:00:0a',
    'ether proto 0x88cc',
    'ip multicast',
    'mpls 100',
    'pppoes',
    'geneve',
  ],
];
const CONSTANTS = [
  '0',
  '1',
  '2',
  '6',
  '12',
  '14',
  '17',
  '60',
  '80',
  '255',
  '0x800',
  '0xffff',
  '0x7fffffff',
  '0x80000000',
  '0xffffffff',
];

/** Arithmetic over packet bytes, lengths and constants. */
function arithmetic(random: Random, depth: number): string {
  if (depth > 0 && random.chance(2)) {
    const operator = random.pick(['+', '-', '*', '&', '|', '^', '/', '%', '<<', '>>']);
    const right = /[/%<>]/.test(operator) ? String(random.between(1, 31)) : arithmetic(random, depth - 1);
    return `(${arithmetic(random, depth - 1)} ${operator} ${right})`;
  }
  if (random.chance(4)) return random.chance(2) ? 'len' : random.pick(CONSTANTS);
  const index = depth > 0 && random.chance(3) ? arithmetic(random, depth - 1) : String(random.below(40));
  return `${random.pick(HEADERS)}[${index}:${random.pick([1, 2, 4])}]`;
}

function atom(random: Random): string {
  if (random.chance(2)) return random.pick(ATOMS);
  const comparison = random.pick(['=', '!=', '<', '<=', '>', '>=']);
  const left = `${random.pick(HEADERS)}[${arithmetic(random, 1)}:${random.pick([1, 2, 4])}]`;
  return `${random.chance(3) ? 'len' : left} ${comparison} ${random.chance(2) ? random.pick(CONSTANTS) : arithmetic(random, 2)}`;
}

export function randomExpression(random: Random, depth = 3): string {
  if (depth === 0 || random.chance(4)) return atom(random);
  if (random.chance(6)) return `not (${randomExpression(random, depth - 1)})`;
  return `(${randomExpression(random, depth - 1)}) ${random.pick(['and', 'or'])} (${randomExpression(random, depth - 1)})`;
}

/**
 * One to `most` ports of any protocol and direction, most of them alternatives. What is left out is none of them: libpcap
 * refuses contradictions.
 */
export function randomPorts(random: Random, most: number): string {
  const term = (): string => {
    const kind = random.pick(['', '', 'src ', 'dst ', 'tcp ', 'udp ', 'udp src ', 'tcp dst ']);
    const port = random.pick([22, 53, 80, 123, 443, 4789, 5353, 8080, 33333]);
    return random.chance(5) ? `${kind}portrange ${port}-${port + random.below(400)}` : `${kind}port ${port}`;
  };
  const terms = Array.from({ length: random.between(1, most) }, term);
  return terms.reduce((left, right) => `(${left}) or (${right})${random.chance(6) ? ' and not port 20' : ''}`);
}
