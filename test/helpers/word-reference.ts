/** What the filter words mean, written apart from the programs that are made of them: bytes of an untagged frame in, a verdict out. */
import type { FilterWords } from '../../src/filter/words/filter-words.js';
import { ip4, ip6 } from './frames.js';

/** The frame ends before what was asked for: as in libpcap's programs, nothing matches then. */
class Short extends Error {}

class Reader {
  constructor(private readonly frame: Uint8Array) {}

  bytes(at: number, count: number): number[] {
    if (at + count > this.frame.length) throw new Short();
    return [...this.frame.subarray(at, at + count)];
  }

  number(at: number, count: 1 | 2): number {
    return this.bytes(at, count).reduce((value, byte) => value * 256 + byte, 0);
  }
}

const addressBytes = (text: string): number[] => (text.includes(':') ? ip6(text) : ip4(text));

const bitsOf = (network: string): number => {
  const [base = '', bits] = network.split('/');
  return bits === undefined ? addressBytes(base).length * 8 : Number(bits);
};

/** Word by word, and no further than is needed. */
function isInside(frame: Reader, at: number, network: string): boolean {
  const wanted = addressBytes(network.split('/')[0] as string);
  const bits = bitsOf(network);
  for (let word = 0; word * 32 < bits; word++) {
    const own = frame.bytes(at + 4 * word, 4);
    for (let bit = 0; bit < 32 && word * 32 + bit < bits; bit++) {
      const [byte, shift] = [bit >> 3, 7 - (bit & 7)];
      if ((((own[byte] as number) ^ (wanted[4 * word + byte] as number)) >> shift) & 1) return false;
    }
  }
  return true;
}

/** One end after the other, as libpcap looks: the second only when the first is another. */
function hasAddress(frame: Reader, sides: ('src' | 'dst')[], networks: readonly string[]): boolean {
  const type = frame.number(12, 2);
  const [size, src, dst] =
    { 2048: [4, 26, 30], 2054: [4, 28, 38], 32821: [4, 28, 38], 34525: [16, 22, 38] }[type] ?? [];
  if (size === undefined) return false;
  const own = networks.filter((network) => network.includes(':') === (size === 16));
  if (own.length === 0) return false;
  const shortFirst = [...own].sort((a, b) => bitsOf(a) - bitsOf(b));
  return sides.some((side) =>
    shortFirst.some((network) => isInside(frame, (side === 'src' ? src : dst) as number, network)),
  );
}

/** Headers of an IPv6 packet: number and offset; at most six extension headers are passed. */
function* headers(frame: Reader, stopAt: (number: number) => boolean): Generator<{ number: number; at: number }> {
  let [number, at] = [frame.number(20, 1), 54];
  for (let passed = 0; ; passed++) {
    yield { number, at };
    if (stopAt(number) || passed === 6 || ![0, 43, 44, 51, 60].includes(number)) return;
    const next = frame.number(at, 1);
    if (number === 44) {
      if ((frame.number(at + 2, 2) & 0xfff8) !== 0) {
        yield { number: next, at: -1 };
        return;
      }
      at += 8;
    } else {
      const length = frame.number(at + 1, 1);
      at += number === 51 ? (length + 2) * 4 : (length + 1) * 8;
    }
    number = next;
  }
}

const NUMBERS: Record<string, [ipv4: number | undefined, ipv6?: number]> = {
  tcp: [6, 6],
  udp: [17, 17],
  sctp: [132, 132],
  icmp: [1],
  icmp6: [undefined, 58],
  esp: [50, 50],
  ah: [51, 51],
  gre: [47, 47],
  igmp: [2],
};
const TYPES: Record<string, number> = { arp: 0x806, ip: 0x800, ip6: 0x86dd };

function hasProtocol(frame: Reader, names: readonly string[]): boolean {
  const type = frame.number(12, 2);
  if (names.some((name) => TYPES[name] === type)) return true;
  const numbers = names.map((name) => NUMBERS[name] ?? (TYPES[name] ? [] : [Number(name), Number(name)]));
  const ipv4 = numbers.map(([number]) => number);
  const ipv6 = numbers.map(([, number]) => number).filter((number) => number !== undefined);
  if (type === 0x800 && ipv4.some((number) => number !== undefined)) return ipv4.includes(frame.number(23, 1));
  if (type !== 0x86dd || ipv6.length === 0) return false;
  for (const { number } of headers(frame, (one) => ipv6.includes(one))) if (ipv6.includes(number)) return true;
  return false;
}

/** Where the ports are, or undefined. */
function portsAt(frame: Reader, withPorts: readonly number[]): number | undefined {
  const type = frame.number(12, 2);
  if (type === 0x800) {
    if ((frame.number(20, 2) & 0x1fff) !== 0 || !withPorts.includes(frame.number(23, 1))) return undefined;
    return 14 + (frame.number(14, 1) & 15) * 4;
  }
  if (type !== 0x86dd) return undefined;
  for (const { number, at } of headers(frame, (one) => withPorts.includes(one))) {
    if (at >= 0 && withPorts.includes(number)) return at;
  }
  return undefined;
}

const isAmong = (port: number, ranges: readonly string[]): boolean =>
  ranges.some((range) => {
    const [low, high = low] = range.split('-').map(Number) as [number, number?];
    return port >= low && port <= high;
  });

/** 1 or 0. Names of services are not known here. */
export function wordsMatch(words: FilterWords, frame: Uint8Array): number {
  try {
    return Number(matches(words, new Reader(frame)));
  } catch (error) {
    if (error instanceof Short) return 0;
    throw error;
  }
}

function matches({ host, srcHost, dstHost, net, proto, port, srcPort, dstPort }: FilterWords, frame: Reader): boolean {
  if (host && !hasAddress(frame, ['src', 'dst'], host)) return false;
  if (srcHost && !hasAddress(frame, ['src'], srcHost)) return false;
  if (dstHost && !hasAddress(frame, ['dst'], dstHost)) return false;
  if (net && !hasAddress(frame, ['src', 'dst'], net)) return false;
  const ports = [port, srcPort, dstPort].filter((one) => one !== undefined);
  const numbers = (proto ?? []).map((name) => NUMBERS[name]?.[0] ?? Number(name));
  const isMerged = ports.length > 0 && numbers.length > 0 && numbers.every((one) => [6, 17, 132].includes(one));
  if (proto && !isMerged && !hasProtocol(frame, proto)) return false;
  if (ports.length === 0) return true;
  const at = portsAt(frame, isMerged ? numbers : [6, 17, 132]);
  if (at === undefined) return false;
  const first = (): number => frame.number(at, 2);
  const second = (): number => frame.number(at + 2, 2);
  if (port && !isAmong(first(), port) && !isAmong(second(), port)) return false;
  if (srcPort && !isAmong(first(), srcPort)) return false;
  return !dstPort || isAmong(second(), dstPort);
}

/** The same for libpcap, but for ports and protocols behind IPv6 extension headers. */
export function wordsToExpression({ host, srcHost, dstHost, net, proto, port, srcPort, dstPort }: FilterWords): string {
  const ports = (side: string, values: readonly string[]): string[] =>
    values.map((value) => `${side}${value.includes('-') ? 'portrange' : 'port'} ${value}`);
  const protocols = (names: readonly string[]): string[] =>
    names.map((name) => ({ gre: 'proto 47', ospf: 'proto 89' })[name] ?? (/^\d+$/.test(name) ? `proto ${name}` : name));
  const words = [
    host?.map((one) => `host ${one}`),
    srcHost?.map((one) => `src host ${one}`),
    dstHost?.map((one) => `dst host ${one}`),
    net?.map((one) => `net ${one}`),
    proto && protocols(proto),
    port && ports('', port),
    srcPort && ports('src ', srcPort),
    dstPort && ports('dst ', dstPort),
  ];
  return words
    .filter((terms) => terms !== undefined)
    .map((terms) => `(${terms.join(' or ')})`)
    .join(' and ');
}
