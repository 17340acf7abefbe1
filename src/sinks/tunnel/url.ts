/**
 * Reads the name of a tunnel to a collector, as it is given with -w: erspan://ADDR?id=N, vxlan://ADDR?vni=N,
 * gretap://ADDR?key=N, with further parameters. Pure.
 */
import { isIPv4, isIPv6 } from 'node:net';
import { UsageError } from '../../errors.js';
import { didYouMean } from '../../text/suggest.js';
import type { TunnelPlan } from './plan.js';

type Protocol = TunnelPlan['protocol'];

/** What each protocol calls the number that tells captures apart, and the greatest there is. */
const IDS: Record<Protocol, { name: string; most: number }> = {
  erspan: { name: 'id', most: 0x3ff },
  vxlan: { name: 'vni', most: 0xffffff },
  gretap: { name: 'key', most: 0xffffffff },
};

/** The name of a tunnel, as short as it can be told. Pure. */
export function tunnelName({ protocol, address, id }: Pick<TunnelPlan, 'protocol' | 'address' | 'id'>): string {
  return `${protocol}://${isIPv6(address) ? `[${address}]` : address}?${IDS[protocol].name}=${id}`;
}

/** Packets a second, unless max-rate says otherwise: more of them might be felt by whoever shares the network. */
const USUAL_MAX_RATE = 100_000;
/** Where collectors listen for VXLAN (IANA). */
const VXLAN_PORT = 4789;
/** What every host that speaks IPv4 takes (RFC 791), and IPv6 (RFC 8200). */
const LEAST_MTU = { 4: 576, 6: 1280 };

/** The parameters of all protocols, and those that a protocol alone has. */
const COMMON = ['src', 'mtu', 'ttl', 'dscp', 'max-rate'];
const OWN: Record<Protocol, string[]> = { erspan: ['version', 'hwid', 'time'], vxlan: ['port'], gretap: [] };

/** Whether a name given with -w is one of a tunnel. A file of such a name is written as ./NAME. */
export function isTunnelUrl(name: string): boolean {
  return protocolOf(name) !== undefined;
}

function protocolOf(name: string): Protocol | undefined {
  const [, scheme] = /^([a-z]+):\/\//i.exec(name) ?? [];
  return (Object.keys(IDS) as Protocol[]).find((protocol) => protocol === scheme?.toLowerCase());
}

/**
 * The tunnel of that name.
 * @param given where it was given, for messages
 * @throws UsageError naming the part that is wrong and what is accepted
 */
export function parseTunnelUrl(url: string, given = '-w'): TunnelPlan {
  const place = `${given} ${url}`;
  const protocol = protocolOf(url);
  if (protocol === undefined) throw wrong(place, url, 'is no tunnel', 'use erspan://, vxlan:// or gretap://');
  const [host = '', ...queries] = url.slice(url.indexOf('//') + 2).split('?');
  const address = readAddress(place, host);
  const words = new Parameters(place, protocol, queries.join('?'));
  const { name, most } = IDS[protocol];
  const version = words.number('version', 2, 3, 3);
  for (const other of version === 2 ? ['hwid', 'time'] : []) words.refuse(other, 'is of ERSPAN version 3 alone');
  const mtu = words.optional('mtu', LEAST_MTU[isIPv6(address) ? 6 : 4], 65535);
  return {
    kind: 'tunnel',
    protocol,
    address,
    ...sourceOf(words, address),
    id: words.required(name, 0, most),
    version: version === 2 ? 2 : 3,
    hardwareId: words.number('hwid', 0, 63, 0),
    hasShortTime: words.choice('time', ['full', 'short']) === 'short',
    udpPort: words.number('port', 1, 65535, VXLAN_PORT),
    ...(mtu === undefined ? {} : { mtu }),
    ttl: words.number('ttl', 1, 255, 64),
    dscp: words.number('dscp', 0, 63, 0),
    maxRate: words.number('max-rate', 0, 0xffffffff, USUAL_MAX_RATE),
    queues: 1,
  };
}

function sourceOf(words: Parameters, address: string): { source?: string } {
  const source = words.text('src');
  if (source === undefined) return {};
  if (isIPv4(source) || isIPv6(source)) {
    if (isIPv6(source) === isIPv6(address)) return { source };
    throw wrong(words.place, source, `src=${source} is of another IP version than the collector's address`, HOST_HINT);
  }
  throw wrong(words.place, source, `src=${source} is no IP address`, 'give an address of this host: ip address');
}

const HOST_HINT = 'give an address such as 192.0.2.9, or an IPv6 one in brackets: [2001:db8::9]';

function readAddress(place: string, host: string): string {
  const bracketed = /^\[(.*)\]$/.exec(host)?.[1];
  const address = bracketed ?? host;
  if (host === '') throw wrong(place, host, 'the address of the collector is missing', HOST_HINT);
  if (bracketed === undefined ? !isIPv4(host) : !isIPv6(address)) {
    throw wrong(place, host, `${host} is no IP address`, hintForHost(host));
  }
  if (isNobody(address)) throw wrong(place, address, `${address} is not the address of one host`, HOST_HINT);
  return address;
}

function hintForHost(host: string): string {
  if (isIPv6(host)) return `put brackets around it: [${host}]`;
  if (/^(\[.*\]|[\d.]+):\d+$/.test(host)) return 'another UDP port is a parameter of vxlan: ?port=N';
  if (host.endsWith('/')) return 'leave the slash behind the address out';
  return `${HOST_HINT}; names are not looked up`;
}

/** Whether an address is a group's, everybody's or nobody's. */
export function isNobody(address: string): boolean {
  if (isIPv6(address)) return /^ff/i.test(address) || /^[0:]+$/.test(address) || /^::ffff:/i.test(address);
  const [first = 0] = address.split('.').map(Number);
  return first === 0 || first >= 224;
}

function wrong(place: string, subject: string, what: string, hint: string): UsageError {
  return new UsageError(`${place}: ${what}`, { subject, hint });
}

/** The words behind the question mark. Each has to be known to the protocol, and given once. */
class Parameters {
  readonly place: string;
  readonly #values = new Map<string, string>();

  constructor(place: string, protocol: Protocol, query: string) {
    this.place = place;
    const known = [IDS[protocol].name, ...OWN[protocol], ...COMMON];
    for (const word of query === '' ? [] : query.split('&')) {
      const [, name = '', value = ''] = /^([^=]*)=?(.*)$/s.exec(word) ?? [];
      if (!known.includes(name)) throw this.#unknown(protocol, name, known);
      if (this.#values.has(name)) throw wrong(place, name, `${name} is given twice`, 'give each parameter once');
      this.#values.set(name, value);
    }
  }

  text(name: string): string | undefined {
    return this.#values.get(name);
  }

  number(name: string, least: number, most: number, usual: number): number {
    return this.optional(name, least, most) ?? usual;
  }

  optional(name: string, least: number, most: number): number | undefined {
    const text = this.#values.get(name);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (/^\d{1,10}$/.test(text) && value >= least && value <= most) return value;
    throw wrong(this.place, text, `${name}=${text} is not a whole number`, `${name} is from ${least} to ${most}`);
  }

  required(name: string, least: number, most: number): number {
    const value = this.optional(name, least, most);
    if (value !== undefined) return value;
    const hint = `the collector tells captures apart by it: add ?${name}=N, from ${least} to ${most}, and quote the whole for the shell`;
    throw wrong(this.place, name, `${name} is missing`, hint);
  }

  choice(name: string, choices: readonly string[]): string | undefined {
    const text = this.#values.get(name);
    if (text === undefined || choices.includes(text)) return text;
    throw wrong(this.place, text, `unknown value ${name}=${text}`, `use ${choices.join(' or ')}`);
  }

  refuse(name: string, why: string): void {
    if (this.#values.has(name)) throw wrong(this.place, name, `${name} ${why}`, `leave ${name} out`);
  }

  #unknown(protocol: Protocol, name: string, known: readonly string[]): UsageError {
    const hint = didYouMean(name, known) ?? `${protocol} has ${known.join(', ')}`;
    return wrong(this.place, name, `unknown parameter ${name || '(empty)'}`, hint);
  }
}
