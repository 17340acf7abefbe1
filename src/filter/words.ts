/**
 * The plain filter words (`--host`, `--port` and so on) as a pcap-filter expression. They are DPVS's, plus IPv6, networks,
 * ranges and names of services. A word given several times matches any of its values; different words must all match.
 * Everything is checked here, so that what reaches libpcap cannot fail.
 */
import { readFileSync } from 'node:fs';
import { isIPv4, isIPv6 } from 'node:net';
import { UsageError } from '../errors.js';
import { didYouMean } from './suggest.js';

export interface FilterWords {
  /** Addresses, IPv4 or IPv6, as source or destination; IPv4 also matches ARP, as in tcpdump. */
  host?: readonly string[] | undefined;
  srcHost?: readonly string[] | undefined;
  dstHost?: readonly string[] | undefined;
  /** `ADDRESS/BITS`. */
  net?: readonly string[] | undefined;
  /** A name of {@link PROTOCOLS} or 0-255. */
  proto?: readonly string[] | undefined;
  /** Numbers, ranges `80-90`, or names of services. */
  port?: readonly string[] | undefined;
  srcPort?: readonly string[] | undefined;
  dstPort?: readonly string[] | undefined;
}

/**
 * `--proto` names. tcp, udp, sctp, esp, ah, gre and ospf are looked for in IPv4 and IPv6, as are numbers; icmp, igmp and
 * vrrp are IPv4 only, as in tcpdump; icmp6 is IPv6 only; arp, ip and ip6 are ethertypes.
 */
export const PROTOCOLS: Readonly<Record<string, string>> = {
  tcp: 'tcp',
  udp: 'udp',
  icmp: 'icmp',
  icmp6: 'icmp6',
  sctp: 'sctp',
  arp: 'arp',
  ip: 'ip',
  ip6: 'ip6',
  igmp: 'igmp',
  esp: 'esp',
  ah: 'ah',
  gre: 'proto 47',
  ospf: 'proto 89',
  vrrp: 'vrrp',
};

const WORDS: [keyof FilterWords, string, (flag: string, value: string) => string][] = [
  ['host', '--host', (flag, value) => `host ${address(flag, value)}`],
  ['srcHost', '--src-host', (flag, value) => `src host ${address(flag, value)}`],
  ['dstHost', '--dst-host', (flag, value) => `dst host ${address(flag, value)}`],
  ['net', '--net', (flag, value) => `net ${network(flag, value)}`],
  ['proto', '--proto', protocol],
  ['port', '--port', (flag, value) => port(flag, value, '')],
  ['srcPort', '--src-port', (flag, value) => port(flag, value, 'src ')],
  ['dstPort', '--dst-port', (flag, value) => port(flag, value, 'dst ')],
];

/**
 * The expression for all words, or undefined when none was given.
 * @throws UsageError ERR_USAGE with the flag, the value and what to write instead
 */
export function wordsToExpression(words: FilterWords): string | undefined {
  const terms = WORDS.flatMap(([key, flag, translate]) => {
    const alternatives = [...new Set((words[key] ?? []).map((value) => translate(flag, value.trim())))];
    if (alternatives.length === 0) return [];
    return alternatives.length === 1 ? alternatives : [`(${alternatives.join(' or ')})`];
  });
  return terms.length === 0 ? undefined : terms.join(' and ');
}

function bad(flag: string, value: string, why: string, hint: string): never {
  throw new UsageError(`${flag} \`${value}\`: ${why}`, { subject: value, hint });
}

/** Names are refused: looking them up would send packets, and the answer may differ from what the traffic carries. */
function address(flag: string, value: string): string {
  if (isIPv4(value) || (isIPv6(value) && !value.includes('%'))) return value;
  if (value.includes('/')) bad(flag, value, 'a network is not a host', `use --net ${value}`);
  if (value.includes('%')) bad(flag, value, 'a zone is not part of a packet', `use ${flag} ${value.split('%')[0]}`);
  const looksNumeric = /^[\d.]+$/.test(value) || value.includes(':');
  if (looksNumeric) bad(flag, value, 'not an IPv4 or IPv6 address', 'write it as 10.0.0.1 or 2001:db8::1');
  return bad(flag, value, 'names are not looked up', `give the address (getent hosts ${value} shows it)`);
}

function network(flag: string, value: string): string {
  const [base = '', bits, ...rest] = value.split('/');
  const width = isIPv4(base) ? 32 : isIPv6(base) && !base.includes('%') ? 128 : 0;
  if (width === 0 || rest.length > 0) bad(flag, value, 'not a network', 'write it as 10.0.0.0/8 or 2001:db8::/32');
  if (bits === undefined)
    bad(
      flag,
      value,
      'the prefix length is missing',
      `use --net ${value}/${width === 32 ? 24 : 64}, or --host ${value}`,
    );
  if (!/^\d{1,3}$/.test(bits) || Number(bits) > width)
    bad(flag, value, `a prefix length is 0 to ${width}`, 'correct the part after the slash');
  const length = Number(bits);
  const bytes = addressBytes(base);
  const masked = bytes.map((byte, at) => byte & ~(255 >> Math.max(0, Math.min(8, length - 8 * at))) & 255);
  if (masked.some((byte, at) => byte !== bytes[at])) {
    bad(flag, value, 'bits after the prefix are set', `use --net ${addressText(masked)}/${length}, or --host ${base}`);
  }
  return `${base}/${length}`;
}

function addressBytes(text: string): number[] {
  if (isIPv4(text)) return text.split('.').map(Number);
  const dotted = text.replace(/[\d.]+$/, (tail) =>
    isIPv4(tail)
      ? tail
          .split('.')
          .map((n) => Number(n).toString(16).padStart(2, '0'))
          .join('')
          .replace(/^(.{4})/, '$1:')
      : tail,
  );
  const [head = '', tail] = dotted.split('::');
  const words = (part: string): number[] => (part ? part.split(':').map((word) => Number.parseInt(word, 16)) : []);
  const [left, right] = [words(head), words(tail ?? '')];
  const all = [...left, ...new Array(tail === undefined ? 0 : 8 - left.length - right.length).fill(0), ...right];
  return all.flatMap((word: number) => [word >> 8, word & 255]);
}

function addressText(bytes: number[]): string {
  if (bytes.length === 4) return bytes.join('.');
  const words = Array.from({ length: 8 }, (_, i) =>
    (((bytes[2 * i] as number) << 8) | (bytes[2 * i + 1] as number)).toString(16),
  );
  return words.join(':').replace(/(^|:)0(:0)+(:|$)/, '::');
}

function protocol(flag: string, value: string): string {
  const name = value.toLowerCase();
  const known = Object.hasOwn(PROTOCOLS, name) ? PROTOCOLS[name] : undefined;
  if (known) return known;
  if (/^\d{1,3}$/.test(value) && Number(value) <= 255) return `proto ${Number(value)}`;
  const hint =
    didYouMean(name, Object.keys(PROTOCOLS)) ?? `use one of ${Object.keys(PROTOCOLS).join(', ')} or 0 to 255`;
  return bad(flag, value, 'no such protocol', hint);
}

const PORT_MAX = 65535;

function port(flag: string, value: string, side: string): string {
  const range = /^(\d+)-(\d+)$/.exec(value);
  if (range) {
    const [low, high] = [Number(range[1]), Number(range[2])];
    if (high > PORT_MAX || low > PORT_MAX) bad(flag, value, `a port is 0 to ${PORT_MAX}`, 'correct the range');
    if (low > high) bad(flag, value, 'the range runs backwards', `use ${flag} ${high}-${low}`);
    return `${side}portrange ${low}-${high}`;
  }
  if (/^\d+$/.test(value)) {
    if (Number(value) > PORT_MAX) bad(flag, value, `a port is 0 to ${PORT_MAX}`, 'correct the number');
    return `${side}port ${Number(value)}`;
  }
  const services = serviceNames();
  if (services.has(value)) return `${side}port ${value}`;
  const hint = didYouMean(value, [...services]) ?? 'use a number, a range such as 80-90, or a name in /etc/services';
  return bad(flag, value, 'no such service', hint);
}

let services: Set<string> | undefined;

/** Names and aliases of /etc/services, which is also where libpcap looks; empty when there is no such file. */
function serviceNames(): Set<string> {
  if (services) return services;
  let text = '';
  try {
    text = readFileSync('/etc/services', 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const lines = text.split('\n').map((line) => line.replace(/#.*/, '').trim().split(/\s+/));
  services = new Set(
    lines
      .filter((fields) => /^\d+\/(tcp|udp|sctp)$/.test(fields[1] ?? ''))
      .flatMap(([name, , ...more]) => [name as string, ...more]),
  );
  return services;
}
