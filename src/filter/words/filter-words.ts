/**
 * The plain filter words (`--host`, `--port` and so on). They are those of DPVS, plus IPv6, networks, ranges and names
 * of services. A word given several times matches any of its values; different words must all match.
 */

import { UsageError } from '../../errors.js';
import type { ClassicInsn } from '../../native/filter-binding.js';
import { mergeIntervals } from '../bpf/interval-set.js';
import { CLASS, MODE } from '../bpf/isa.js';
import { ACCEPT, ClassicAssembler, type ClassicLabel } from './classic-assembler.js';
import { ETHERTYPE, matchAddresses, type Side } from './match-addresses.js';
import { EXTENSIONS_MAX, matchPorts, matchProtocols, WITH_PORTS } from './match-transport.js';
import {
  type AddressValue,
  type PortValue,
  type ProtocolValue,
  parseAddress,
  parseNetwork,
  parsePort,
  parseProtocol,
} from './word-values.js';

export interface FilterWords {
  /** Addresses, IPv4 or IPv6, as source or destination; IPv4 also matches ARP, as in tcpdump. */
  host?: readonly string[] | undefined;
  srcHost?: readonly string[] | undefined;
  dstHost?: readonly string[] | undefined;
  /** `ADDRESS/BITS`. */
  net?: readonly string[] | undefined;
  /** A name of `PROTOCOLS` or 0-255. */
  proto?: readonly string[] | undefined;
  /** Numbers, ranges `80-90`, or names of services. */
  port?: readonly string[] | undefined;
  srcPort?: readonly string[] | undefined;
  dstPort?: readonly string[] | undefined;
}

/** The words as a program, and as text for the user. */
export interface WordsProgram {
  text: string;
  classic: ClassicInsn[];
  /** Whether the program looks behind extension headers of IPv6. */
  walksExtensions: boolean;
}

/** A word that was given, with its values. */
interface Given<V> {
  flag: string;
  side: Side;
  /** What stands in front of a value in libpcap's language. */
  qualifier: string;
  values: V[];
}

/** The number of values of one word that are shown; a start line with a thousand addresses helps nobody. */
const SHOWN_MAX = 8;

/**
 * The program for all words, or undefined when none was given.
 * @param extensions how many extension headers of IPv6 to walk through
 * @throws UsageError ERR_USAGE with the flag, the value and what to write instead
 */
export function compileWords(words: FilterWords, extensions = EXTENSIONS_MAX): WordsProgram | undefined {
  const { addresses, protocols, ports } = parse(words);
  const all: Given<{ text: string }>[] = [...addresses, ...protocols, ...ports];
  if (all.length === 0) return undefined;
  refuseContradictions(addresses, protocols, ports);
  const asm = new ClassicAssembler();
  const reject = asm.returning(0);
  const matchers = [...addresses.map(addressMatcher), ...transportMatchers(protocols, ports, extensions)];
  matchers.forEach((match, at) => {
    const isLast = at === matchers.length - 1;
    const hit = isLast ? asm.returning(ACCEPT) : asm.label();
    match(asm, hit, reject);
    if (isLast) return;
    asm.place(hit);
    // The verifier then knows the same about X on every path to the code that follows.
    asm.insn(CLASS.LDX | MODE.IMM, 0);
  });
  const walksExtensions =
    ports.length > 0 || protocols.some(({ values }) => values.some(({ ipv6 }) => ipv6 !== undefined));
  return { text: all.map((one) => textOf(one)).join(' and '), classic: asm.finish(), walksExtensions };
}

type Matcher = (asm: ClassicAssembler, hit: ClassicLabel, miss: ClassicLabel) => void;

function addressMatcher({ side, values }: Given<AddressValue>): Matcher {
  const of = (family: AddressValue['family']) =>
    values.filter((value) => value.family === family).map(({ prefix }) => prefix);
  return (asm, hit, miss) => matchAddresses(asm, { side, v4: of('ipv4'), v6: of('ipv6') }, hit, miss);
}

/** Protocols that have ports are matched together with the ports. */
function transportMatchers(
  protocols: Given<ProtocolValue>[],
  ports: Given<PortValue>[],
  extensions: number,
): Matcher[] {
  const values = protocols.flatMap((one) => one.values);
  const tests = ports.map(({ side, values: some }) => {
    return { side, ports: mergeIntervals(some.flatMap((value) => value.ports)) };
  });
  const numbers = values.map(({ ipv4 }) => ipv4 as number);
  const isMerged = tests.length > 0 && values.length > 0 && values.every(hasPorts);
  const withPorts = isMerged ? [...new Set(numbers)] : WITH_PORTS;
  return [
    ...(values.length === 0 || isMerged ? [] : [protocolMatcher(values, extensions)]),
    ...(tests.length === 0
      ? []
      : [((asm, hit, miss) => matchPorts(asm, { tests, protocols: withPorts, extensions }, hit, miss)) as Matcher]),
  ];
}

function protocolMatcher(values: readonly ProtocolValue[], extensions: number): Matcher {
  const numbers = (pick: (value: ProtocolValue) => number | undefined): number[] => [
    ...new Set(values.map(pick).filter((number) => number !== undefined)),
  ];
  const test = {
    ethertypes: numbers(({ ethertype }) => ethertype),
    ipv4: numbers(({ ipv4 }) => ipv4),
    ipv6: numbers(({ ipv6 }) => ipv6),
    extensions,
  };
  return (asm, hit, miss) => matchProtocols(asm, test, hit, miss);
}

const hasPorts = ({ ipv4, ipv6 }: ProtocolValue): boolean =>
  ipv4 !== undefined && ipv4 === ipv6 && WITH_PORTS.includes(ipv4);

function parse(words: FilterWords): {
  addresses: Given<AddressValue>[];
  protocols: Given<ProtocolValue>[];
  ports: Given<PortValue>[];
} {
  const read = <V extends { text: string }>(
    key: keyof FilterWords,
    flag: string,
    side: Side,
    parseValue: (flag: string, value: string) => V,
    qualifier: string,
  ): Given<V>[] => {
    const byText = new Map(
      (words[key] ?? []).map((text) => parseValue(flag, text.trim())).map((one) => [one.text, one]),
    );
    return byText.size === 0 ? [] : [{ flag, side, qualifier, values: [...byText.values()] }];
  };
  return {
    addresses: [
      ...read('host', '--host', 'either', parseAddress, 'host '),
      ...read('srcHost', '--src-host', 'src', parseAddress, 'src host '),
      ...read('dstHost', '--dst-host', 'dst', parseAddress, 'dst host '),
      ...read('net', '--net', 'either', parseNetwork, 'net '),
    ],
    protocols: read('proto', '--proto', 'either', parseProtocol, ''),
    ports: [
      ...read('port', '--port', 'either', parsePort, ''),
      ...read('srcPort', '--src-port', 'src', parsePort, 'src '),
      ...read('dstPort', '--dst-port', 'dst', parsePort, 'dst '),
    ],
  };
}

function textOf({ qualifier, values }: Given<{ text: string }>): string {
  const shown = values.slice(0, SHOWN_MAX).map(({ text }) => `${qualifier}${text}`);
  if (values.length === 1) return shown[0] as string;
  const more = values.length > SHOWN_MAX ? ` or ${values.length - SHOWN_MAX} more` : '';
  return `(${shown.join(' or ')}${more})`;
}

/** @throws UsageError when no packet can match all words */
function refuseContradictions(
  addresses: readonly Given<AddressValue>[],
  protocols: readonly Given<ProtocolValue>[],
  ports: readonly Given<PortValue>[],
): void {
  const families = [
    ...addresses.map((one) => ({ one, of: one.values.map(({ family }) => family) })),
    ...protocols.map((one) => ({ one, of: one.values.map(familyOf) })),
  ];
  const only = (family: Family): string | undefined => {
    const found = families.find(({ of }) => of.every((one) => one === family))?.one;
    return found && `${found.flag} ${found.values[0]?.text}`;
  };
  const [ipv4, ipv6] = [only('ipv4'), only('ipv6')];
  if (ipv4 && ipv6) contradict(ipv4, ipv6, 'IPv4 and IPv6');
  const [given] = protocols;
  const portless = given?.values.every((value) => PORTLESS.has(value.text));
  if (given && portless && ports[0]) {
    contradict(`--proto ${given.values[0]?.text}`, ports[0].flag, 'of this protocol and with a port');
  }
}

type Family = AddressValue['family'];

/** The protocol's address family; undefined when it can be either. ARP carries IPv4 addresses. */
function familyOf({ ethertype, ipv4, ipv6 }: ProtocolValue): Family | undefined {
  if (ethertype !== undefined) return ethertype === ETHERTYPE.ipv6 ? 'ipv6' : 'ipv4';
  if (ipv4 !== undefined && ipv6 !== undefined) return undefined;
  return ipv4 === undefined ? 'ipv6' : 'ipv4';
}

/** Texts of the protocols that have no ports and are not headers in front of a protocol that has. */
const PORTLESS = new Set(['icmp', 'icmp6', 'arp', 'igmp', 'esp', 'proto 47', 'proto 89', 'vrrp']);

function contradict(one: string, other: string, both: string): never {
  throw new UsageError(`${one} and ${other}: no packet is ${both}`, {
    subject: one,
    hint: 'all words must match; capture in two steps, or use an expression with `or`',
  });
}
