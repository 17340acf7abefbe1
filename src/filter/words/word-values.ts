/**
 * The values of the filter words: addresses, networks, protocols, ports. Everything is checked here, so that what is
 * made of the values cannot fail. Each value has a text in libpcap's language, for the user.
 */
import { readFileSync } from 'node:fs';
import { isIPv4, isIPv6 } from 'node:net';
import { UsageError } from '../../errors.js';
import { didYouMean, tunnelHint } from '../../text/suggest.js';
import { type Interval, mergeIntervals } from '../bpf/interval-set.js';
import type { Prefix } from './address-set.js';
import { ETHERTYPE } from './match-addresses.js';

/** An address or a network. */
export interface AddressValue {
  text: string;
  family: 'ipv4' | 'ipv6';
  prefix: Prefix;
}

export interface PortValue {
  text: string;
  ports: readonly Interval[];
}

/** What a name of `--proto` stands for. */
export interface ProtocolValue {
  text: string;
  ethertype?: number;
  ipv4?: number;
  ipv6?: number;
}

const inBoth = (number: number, text: string): ProtocolValue => ({ text, ipv4: number, ipv6: number });

/**
 * The names of `--proto`. tcp, udp, sctp, esp, ah, gre and ospf are looked for in IPv4 and IPv6, as are numbers; icmp,
 * igmp and vrrp are IPv4 only, as in tcpdump; icmp6 is IPv6 only; arp, ip and ip6 are ethertypes.
 */
export const PROTOCOLS: Readonly<Record<string, ProtocolValue>> = {
  tcp: inBoth(6, 'tcp'),
  udp: inBoth(17, 'udp'),
  icmp: { text: 'icmp', ipv4: 1 },
  icmp6: { text: 'icmp6', ipv6: 58 },
  sctp: inBoth(132, 'sctp'),
  arp: { text: 'arp', ethertype: ETHERTYPE.arp },
  ip: { text: 'ip', ethertype: ETHERTYPE.ipv4 },
  ip6: { text: 'ip6', ethertype: ETHERTYPE.ipv6 },
  igmp: { text: 'igmp', ipv4: 2 },
  esp: inBoth(50, 'esp'),
  ah: inBoth(51, 'ah'),
  gre: inBoth(47, 'proto 47'),
  ospf: inBoth(89, 'proto 89'),
  vrrp: { text: 'vrrp', ipv4: 112 },
};

function bad(flag: string, value: string, why: string, hint: string): never {
  throw new UsageError(`${flag} \`${value}\`: ${why}`, { subject: value, hint });
}

/** Names are refused: looking them up would send packets, and the answer may differ from what the traffic carries. */
export function parseAddress(flag: string, value: string): AddressValue {
  if (isIPv4(value) || (isIPv6(value) && !value.includes('%'))) {
    const bytes = addressBytes(value);
    return { text: value, family: bytes.length === 4 ? 'ipv4' : 'ipv6', prefix: { bytes, bits: 8 * bytes.length } };
  }
  if (value.includes('/')) bad(flag, value, 'a network is not a host', `use --net ${value}`);
  if (value.includes('%')) bad(flag, value, 'a zone is not part of a packet', `use ${flag} ${value.split('%')[0]}`);
  const looksNumeric = /^[\d.]+$/.test(value) || value.includes(':');
  if (looksNumeric) bad(flag, value, 'not an IPv4 or IPv6 address', 'write it as 10.0.0.1 or 2001:db8::1');
  return bad(flag, value, 'names are not looked up', `give the address (getent hosts ${value} shows it)`);
}

/** `ADDRESS/BITS`. */
export function parseNetwork(flag: string, value: string): AddressValue {
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
  return { text: `${base}/${length}`, family: width === 32 ? 'ipv4' : 'ipv6', prefix: { bytes, bits: length } };
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

/** An address as people write it. */
export function addressText(bytes: readonly number[]): string {
  if (bytes.length === 4) return bytes.join('.');
  const words = Array.from({ length: 8 }, (_, i) =>
    (((bytes[2 * i] as number) << 8) | (bytes[2 * i + 1] as number)).toString(16),
  );
  return words.join(':').replace(/(^|:)0(:0)+(:|$)/, '::');
}

/** A name of {@link PROTOCOLS} or 0-255. */
export function parseProtocol(flag: string, value: string): ProtocolValue {
  const name = value.toLowerCase();
  const known = Object.hasOwn(PROTOCOLS, name) ? PROTOCOLS[name] : undefined;
  if (known) return known;
  if (/^\d{1,3}$/.test(value) && Number(value) <= 255) return inBoth(Number(value), `proto ${Number(value)}`);
  const hint =
    tunnelHint(name) ??
    didYouMean(name, Object.keys(PROTOCOLS)) ??
    `use one of ${Object.keys(PROTOCOLS).join(', ')} or 0 to 255`;
  return bad(flag, value, 'no such protocol', hint);
}

const PORT_MAX = 65535;

/** A number, a range such as `80-90`, or the name of a service in /etc/services, which stands for its numbers. */
export function parsePort(flag: string, value: string): PortValue {
  const range = /^(\d+)-(\d+)$/.exec(value);
  if (range) {
    const [low, high] = [Number(range[1]), Number(range[2])];
    if (high > PORT_MAX || low > PORT_MAX) bad(flag, value, `a port is 0 to ${PORT_MAX}`, 'correct the range');
    if (low > high) bad(flag, value, 'the range runs backwards', `use ${flag} ${high}-${low}`);
    return { text: `portrange ${low}-${high}`, ports: [[low, high]] };
  }
  if (/^\d+$/.test(value)) {
    if (Number(value) > PORT_MAX) bad(flag, value, `a port is 0 to ${PORT_MAX}`, 'correct the number');
    return { text: `port ${Number(value)}`, ports: [[Number(value), Number(value)]] };
  }
  const numbers = services().get(value);
  if (numbers) return { text: `port ${value}`, ports: mergeIntervals([...numbers].map((number) => [number, number])) };
  const hint =
    didYouMean(value, [...services().keys()]) ?? 'use a number, a range such as 80-90, or a name in /etc/services';
  return bad(flag, value, 'no such service', hint);
}

let known: Map<string, Set<number>> | undefined;

/** Names and aliases of /etc/services with their numbers; empty when there is no such file. */
function services(): Map<string, Set<number>> {
  if (known) return known;
  known = new Map();
  for (const line of servicesText().split('\n')) {
    const [name, numbered, ...aliases] = line.replace(/#.*/, '').trim().split(/\s+/);
    const number = /^(\d+)\/(tcp|udp|sctp)$/.exec(numbered ?? '')?.[1];
    if (number === undefined) continue;
    for (const one of [name as string, ...aliases]) {
      known.set(one, (known.get(one) ?? new Set()).add(Number(number)));
    }
  }
  return known;
}

function servicesText(): string {
  try {
    return readFileSync('/etc/services', 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return '';
  }
}
