/** The filter options that every command with packets has. */
import type { Command } from 'commander';
import { UsageError } from '../errors.js';
import { compileFilter, type FilterProgram } from '../filter/compile.js';
import type { FilterWords } from '../filter/words.js';

/** As commander hands them over. */
export interface RawFilterOptions extends FilterWords {
  filter?: string[];
  expression?: string[];
  vlan?: string;
}

/** commander's way of saying "repeatable". */
export const collect = (value: string, all: string[] = []): string[] => [...all, value];

/** Adds them. */
export function addFilterOptions(command: Command): void {
  const word = (flag: string, text: string): Command =>
    command.option(`--${flag} <value>`, `${text}; repeatable`, collect);
  word('host', 'packets from or to this address');
  word('src-host', 'packets from this address');
  word('dst-host', 'packets to this address');
  word('net', 'packets from or to this network (10.0.0.0/8)');
  word('proto', 'tcp, udp, icmp, arp ... or a number');
  word('port', 'port or range of ports');
  word('src-port', 'source port');
  word('dst-port', 'destination port');
  word('filter', 'a named filter (dpcap filters lists them)');
  command
    .option('-f, --expression <expression>', 'pcap-filter expression; all filters are ANDed', collect)
    .option('--vlan <mode>', 'any: tags do not matter; strict: to the letter, as tcpdump does');
}

/**
 * The program of these options and of the expression in `words`; undefined when every packet matches.
 * @throws UsageError with the place of the mistake
 */
export function readFilter(words: readonly string[], raw: RawFilterOptions): FilterProgram | undefined {
  const { host, srcHost, dstHost, net, proto, port, srcPort, dstPort, vlan = 'any' } = raw;
  if (vlan !== 'any' && vlan !== 'strict') {
    throw new UsageError(`--vlan: unknown mode ${vlan}`, { subject: vlan, hint: 'use any or strict' });
  }
  return compileFilter({
    words: { host, srcHost, dstHost, net, proto, port, srcPort, dstPort },
    filters: raw.filter,
    expression: joinExpressions([words.join(' '), ...(raw.expression ?? [])]),
    vlan,
  });
}

/** All that were given must match. */
function joinExpressions(texts: readonly string[]): string | undefined {
  const given = texts.filter((text) => text.trim() !== '');
  if (given.length <= 1) return given[0];
  return given.map((text) => `(${text})`).join(' and ');
}
