/** The `--pdump` grammar of dpdk-pdump and of DPVS's patch of it: one text in, one checked tuple out. */
import { isIPv4, isIPv6 } from 'node:net';
import { UsageError } from '../errors.js';
import type { FilterWords } from '../filter/words/filter-words.js';
import { didYouMean } from '../text/suggest.js';

/** What one `--pdump` asks for. */
export interface PdumpTuple {
  /** Port id or device name. */
  port: string;
  /** Undefined means all queues. */
  queue: number | undefined;
  /** A file, or a kernel interface that exists. The same holds for `txDev`. */
  rxDev: string | undefined;
  txDev: string | undefined;
  filter: FilterWords;
  /** Size of the mempool, when it was given. */
  mbufs: number | undefined;
  /** Accepted keys that change nothing here, with the reason. */
  notes: string[];
}

const KEYS = [
  ...['port', 'device_id', 'queue', 'rx-dev', 'tx-dev', 'ring-size', 'mbuf-size', 'total-num-mbufs'],
  ...['host', 'src-host', 'dst-host', 'proto', 'proto-port', 'src-port', 'dst-port', 'dir'],
] as const;
type Key = (typeof KEYS)[number];
type Values = Partial<Record<Key, string>>;

const PROTOCOLS = ['tcp', 'udp', 'icmp', 'icmp6'];
const MOST_PORTS = 31;
const MOST_QUEUES = 1023;

/**
 * Parses and checks one text.
 * @throws UsageError naming the key, the value and what is accepted; also for what dpdk-pdump ignores or cuts short
 */
export function parsePdump(text: string): PdumpTuple {
  const values = split(text);
  if ((values.port === undefined) === (values.device_id === undefined)) {
    fail(text, 'there must be one of port and device_id', 'begin with port=0, or with device_id=NAME');
  }
  if (values.queue === undefined) fail(text, 'there is no queue', 'add queue=0, or queue=* for all');
  if (values['rx-dev'] === undefined && values['tx-dev'] === undefined) {
    fail(text, 'there is no output', 'add rx-dev=FILE, tx-dev=FILE or both; INTERFACE is possible, too');
  }
  if (values.port !== undefined) integer('port', values.port, 0, MOST_PORTS);
  return {
    port: values.port === undefined ? (values.device_id as string) : String(Number(values.port)),
    queue: values.queue === '*' ? undefined : integer('queue', values.queue, 0, MOST_QUEUES),
    rxDev: values['rx-dev'],
    txDev: values['tx-dev'],
    filter: filterWords(values),
    mbufs: checkSizes(values),
    notes: notes(values),
  };
}

function fail(text: string, why: string, hint: string): never {
  throw new UsageError(`--pdump \`${text}\`: ${why}`, { subject: text, hint });
}

function split(text: string): Values {
  const values: Values = {};
  for (const part of text.split(',')) {
    const at = part.indexOf('=');
    const [key, value] = at < 0 ? [part, ''] : [part.slice(0, at), part.slice(at + 1)];
    const known = KEYS.find((one) => one === key);
    if (!known) fail(text, `there is no key \`${key}\``, didYouMean(key, KEYS) ?? `the keys are ${KEYS.join(', ')}`);
    if (value === '') fail(text, `\`${key}\` has no value`, `write ${key}=VALUE`);
    // dpdk-pdump ignores both values of a repeated filter or size, and so captures more than was asked for.
    if (values[known] !== undefined) fail(text, `\`${key}\` is given twice`, 'give each key once, and several --pdump');
    values[known] = value;
  }
  return values;
}

function integer(key: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  throw new UsageError(`--pdump: ${key}=${text} is not a whole number from ${min} to ${max}`, {
    subject: text,
    hint: key === 'queue' ? 'use queue=* for all queues' : `give ${key} a value from ${min} to ${max}`,
  });
}

function checkSizes(values: Values): number | undefined {
  const ring = values['ring-size'];
  if (ring !== undefined) {
    const size = integer('ring-size', ring, 2, 2 ** 31 - 1);
    if (2 ** Math.round(Math.log2(size)) !== size) {
      throw new UsageError(`--pdump: ring-size=${ring} is no power of two`, {
        subject: ring,
        hint: `use ${2 ** Math.ceil(Math.log2(size))}`,
      });
    }
  }
  if (values['mbuf-size'] !== undefined) integer('mbuf-size', values['mbuf-size'], 1, 65535);
  const mbufs = values['total-num-mbufs'];
  return mbufs === undefined ? undefined : integer('total-num-mbufs', mbufs, 1025, 65535);
}

function filterWords(values: Values): FilterWords {
  const hosts = (['host', 'src-host', 'dst-host'] as const).map((key) => values[key]);
  for (const host of hosts) {
    if (host === undefined || isIPv4(host) || (isIPv6(host) && !host.includes('%'))) continue;
    throw new UsageError(`--pdump: \`${host}\` is no IPv4 or IPv6 address`, {
      subject: host,
      hint: 'write it as 10.0.0.1 or 2001:db8::1; for networks use dpcap --net',
    });
  }
  const families = new Set(hosts.filter((host) => host !== undefined).map((host) => isIPv4(host)));
  if (families.size > 1) {
    throw new UsageError('--pdump: IPv4 and IPv6 addresses in one filter: no packet has both', {
      hint: 'use one --pdump for each',
    });
  }
  if (values.proto !== undefined && !PROTOCOLS.includes(values.proto)) {
    const hint = didYouMean(values.proto, PROTOCOLS) ?? `use ${PROTOCOLS.join(', ')}; for others dpcap --proto`;
    throw new UsageError(`--pdump: proto=${values.proto} is not known`, { subject: values.proto, hint });
  }
  const port = (key: 'proto-port' | 'src-port' | 'dst-port'): string[] | undefined => {
    const value = values[key];
    return value === undefined ? undefined : [String(integer(key, value, 1, 65535))];
  };
  const [host, srcHost, dstHost] = hosts.map((value) => (value === undefined ? undefined : [value]));
  const proto = values.proto === undefined ? undefined : [values.proto];
  return {
    host,
    srcHost,
    dstHost,
    proto,
    port: port('proto-port'),
    srcPort: port('src-port'),
    dstPort: port('dst-port'),
  };
}

function notes(values: Values): string[] {
  const reasons: Partial<Record<Key, string>> = {
    dir: 'has no effect, as in dpdk-pdump: rx-dev and tx-dev say the direction',
    'ring-size': 'has no effect: a ring here always has room for the whole mempool',
    'mbuf-size': 'has no effect: packets that do not fit into one mbuf are chained',
  };
  return KEYS.filter((key) => values[key] !== undefined && reasons[key] !== undefined).map(
    (key) => `${key}=${values[key]} ${reasons[key]}`,
  );
}
