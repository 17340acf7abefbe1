/** The filter options, which are the same for every command that has them. */
import type { Command } from 'commander';
import { UsageError } from '../errors.js';
import { DEPTH_MAX } from '../filter/codegen/decapsulate.js';
import { compileFilter, type FilterProgram } from '../filter/compile.js';
import type { FilterNative } from '../filter/loadable.js';
import type { FilterWords } from '../filter/words/filter-words.js';
import { parseVlan } from '../filter/words/vlan-ids.js';
import { filterNative } from '../primary/joining/filter-native.js';

/** The filter options as commander hands them over. */
export interface RawFilterOptions extends FilterWords {
  filter?: string[];
  expression?: string[];
  vlan?: string[];
  inner?: boolean;
  innerDepth?: string;
}

/** Makes an option repeatable: commander calls it with each value. */
export const collect = (value: string, all: string[] = []): string[] => [...all, value];

/** Adds the filter options to a command. */
export function addFilterOptions(command: Command): void {
  const word = (flag: string, text: string): Command =>
    command.option(`--${flag} <value>`, `${text} Repeatable.`, collect);
  word('host', 'Select packets from or to this address.');
  word('src-host', 'Select packets from this address.');
  word('dst-host', 'Select packets to this address.');
  word('net', 'Select packets from or to this network, such as 10.0.0.0/8.');
  word('proto', 'Select this protocol: tcp, udp, icmp, arp ... or a number.');
  word('port', 'Select packets from or to this port or range of ports.');
  word('src-port', 'Select packets from this port or range of ports.');
  word('dst-port', 'Select packets to this port or range of ports.');
  word('filter', 'Apply a named filter. `dpcap filters` lists them.');
  command
    .option(
      '-f, --expression <expression>',
      'Apply an expression of pcap-filter(7). All filters must match. Repeatable.',
      collect,
    )
    .option(
      '--vlan <ids>',
      'Select VLANs, such as 10,20-29. none: untagged packets. any: tags do not matter (the default). strict: as tcpdump. Repeatable.',
      collect,
    )
    .option('--inner', 'Filter the packet inside a tunnel: VXLAN, Geneve, GRE, IP-in-IP, MPLS or GTP-U.')
    .option('--inner-depth <n>', 'Filter the packet inside n tunnels, one in the other.');
}

/**
 * Compiles these options and the expression in `words` into a program; undefined when every packet matches.
 * @param native what makes the program, and where it runs in a primary tries it
 * @throws UsageError with the place of the mistake
 */
export function readFilter(
  words: readonly string[],
  raw: RawFilterOptions & { stats?: string; json?: boolean; filePrefix?: string },
  native: FilterNative = filterNative(raw.filePrefix),
): FilterProgram | undefined {
  const { host, srcHost, dstHost, net, proto, port, srcPort, dstPort } = raw;
  const options = {
    words: { host, srcHost, dstHost, net, proto, port, srcPort, dstPort },
    filters: raw.filter,
    expressions: [words.join(' '), ...(raw.expression ?? [])],
    vlan: parseVlan(raw.vlan ?? []),
    inner: readInner(raw.inner, raw.innerDepth),
  };
  // A program that reads lines of JSON does not get this announcement.
  const isForPeople = raw.stats !== 'ndjson' && raw.json !== true;
  const announce = isForPeople ? (line: string) => process.stderr.write(`dpcap: ${line}\n`) : undefined;
  return compileFilter(options, { native, announce });
}

/** Returns the number of tunnels: `--inner` means one, and `--inner-depth` says how many. */
function readInner(inner: boolean | undefined, depth: string | undefined): number | undefined {
  if (depth === undefined) return inner ? 1 : undefined;
  if (/^\d+$/.test(depth) && Number(depth) >= 1 && Number(depth) <= DEPTH_MAX) return Number(depth);
  throw new UsageError(`--inner-depth: \`${depth}\` is no number of tunnels`, {
    subject: depth,
    hint: `use 1 to ${DEPTH_MAX}; --inner alone is 1`,
  });
}
