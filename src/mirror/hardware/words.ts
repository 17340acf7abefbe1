/**
 * Turns filter words into the patterns of flow rules. A rule knows no "or": each alternative is a rule of its own. What
 * no rule can say is refused, never left out. Pure.
 */
import { UsageError } from '../../errors.js';
import type { FilterWords } from '../../filter/words/filter-words.js';
import { ETHERTYPE } from '../../filter/words/match-addresses.js';
import { parseVlan } from '../../filter/words/vlan-ids.js';
import {
  type AddressValue,
  type PortValue,
  type ProtocolValue,
  parseAddress,
  parseNetwork,
  parsePort,
  parseProtocol,
} from '../../filter/words/word-values.js';
import { both, type Pattern, WITH_PORTS } from './pattern.js';

/** As many rules as one mirror can have (DPCAP_FLOW_MOST_RULES in native/agent/wire/flow.h). */
export const MOST_RULES = 32;

/** What selects packets, as it was typed. */
export interface FlowWords extends FilterWords {
  /** Terms such as `ether host 02:00:00:00:00:0f`, joined by `and`. */
  expression: string;
  vlan?: readonly string[] | undefined;
}

/** One of these must hold. */
type Alternatives = readonly Pattern[];

const ETHER = /^ether (?:(src|dst|host) |(src|dst) host )([0-9a-f]{1,2}(?::[0-9a-f]{1,2}){5})$/i;
const SIDES = { either: ['source', 'target'], src: ['source'], dst: ['target'] } as const;
type Side = keyof typeof SIDES;

/**
 * The patterns of all rules that together match what the words select; one without a condition when there are none.
 * @throws UsageError for what no rule can say, too many rules, or words that no packet matches
 */
export function patternsOf(words: FlowWords): Pattern[] {
  const all = conditionsOf(words).reduce<Alternatives>(
    (before, next) => before.flatMap((one) => next.flatMap((other) => both(one, other) ?? [])),
    [{}],
  );
  if (all.length === 0) {
    throw new UsageError('no packet matches all of these words', { hint: 'leave one of them away' });
  }
  if (all.length <= MOST_RULES) return [...all];
  throw new UsageError(`these words take ${all.length} flow rules, and a mirror has at most ${MOST_RULES}`, {
    subject: String(all.length),
    hint: 'each address, port, protocol, IP version and side is a rule of its own: say --proto, and --src-host or --dst-host in place of --host, or set several mirrors',
  });
}

function conditionsOf(words: FlowWords): Alternatives[] {
  const { host, srcHost, dstHost, net, proto, port, srcPort, dstPort, expression, vlan } = words;
  const values = <V>(flag: string, texts: readonly string[] = [], parse: (flag: string, text: string) => V): V[] =>
    texts.map((text) => parse(flag, text.trim()));
  return [
    ...etherTerms(expression),
    ...vlanIds(vlan ?? []),
    addresses('either', values('--host', host, parseAddress)),
    addresses('src', values('--src-host', srcHost, parseAddress)),
    addresses('dst', values('--dst-host', dstHost, parseAddress)),
    addresses('either', values('--net', net, parseNetwork)),
    values('--proto', proto, parseProtocol).flatMap(protocols),
    ports('--port', 'either', values('--port', port, parsePort)),
    ports('--src-port', 'src', values('--src-port', srcPort, parsePort)),
    ports('--dst-port', 'dst', values('--dst-port', dstPort, parsePort)),
  ].filter((one) => one.length > 0);
}

function etherTerms(expression: string): Alternatives[] {
  if (expression === '') return [];
  return expression.split(/\s+(?:and|&&)\s+/).map((term) => {
    const [, alone, side = alone, mac] = ETHER.exec(term.trim().replace(/\s+/g, ' ')) ?? [];
    if (mac === undefined) throw notInHardware(term);
    const bytes = mac.split(':').map((byte) => Number.parseInt(byte, 16));
    return SIDES[side === 'src' || side === 'dst' ? side : 'either'].map((of) => ({ [`${of}Mac`]: bytes }));
  });
}

function notInHardware(term: string): UsageError {
  return new UsageError(`${JSON.stringify(term)} cannot be said in a flow rule by dpcap`, {
    code: 'ERR_FILTER_UNSUPPORTED',
    subject: term,
    hint: 'use --host, --net, --proto, --port (and their --src- and --dst- forms), --vlan, or `ether [src|dst] host MAC`; a mirror without --hardware takes any expression',
  });
}

function vlanIds(texts: readonly string[]): Alternatives[] {
  const mode = parseVlan(texts);
  if (mode === 'any') return [];
  if (mode === 'none') return [[{ vlan: 'none' }]];
  if (mode !== 'strict') {
    const ids = mode.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, at) => first + at));
    return [ids.map((vlan) => ({ vlan }))];
  }
  throw new UsageError('--vlan strict is about expressions, and a flow rule has none', {
    subject: 'strict',
    hint: 'give ids, or none for untagged packets',
  });
}

function addresses(side: Side, values: readonly AddressValue[]): Alternatives {
  return values.flatMap(({ family, prefix }) =>
    SIDES[side].map((of) => ({ [`${of}Ip`]: prefix, ipVersion: family === 'ipv4' ? 4 : 6 }) as Pattern),
  );
}

function protocols({ ethertype, ipv4, ipv6 }: ProtocolValue): Alternatives {
  if (ethertype === ETHERTYPE.ipv4) return [{ ipVersion: 4 }];
  if (ethertype === ETHERTYPE.ipv6) return [{ ipVersion: 6 }];
  if (ethertype !== undefined) return [{ etherType: ethertype }];
  return [
    ...(ipv4 === undefined ? [] : [{ ipVersion: 4 as const, protocol: ipv4 }]),
    ...(ipv6 === undefined ? [] : [{ ipVersion: 6 as const, protocol: ipv6 }]),
  ];
}

function ports(flag: string, side: Side, values: readonly PortValue[]): Alternatives {
  return values.flatMap(({ ports: ranges, text }) =>
    ranges.flatMap(([first, last]) => {
      if (first !== last) {
        throw new UsageError(`${flag} ${text}: few drivers take ranges in a flow rule, and dpcap writes none`, {
          code: 'ERR_FILTER_UNSUPPORTED',
          subject: text,
          hint: `give each port by itself: ${flag} ${first} ${flag} ${first + 1}`,
        });
      }
      return portPatterns(side, first);
    }),
  );
}

function portPatterns(side: Side, port: number): Alternatives {
  return Object.keys(WITH_PORTS).flatMap((protocol) =>
    ([4, 6] as const).flatMap((ipVersion) =>
      SIDES[side].map((of) => ({ [`${of}Port`]: port, protocol: Number(protocol), ipVersion }) as Pattern),
    ),
  );
}
