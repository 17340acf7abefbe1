/** What is captured of each port, where -s and -f behind -i make a difference. */
import { UsageError } from '../../errors.js';
import type { PortChoice } from '../../supervisor/create-plan.js';
import { checkSnaplen, splitPorts } from '../capture-options.js';
import { type RawFilterOptions, readFilter } from '../filter-options.js';
import type { PortWords } from './per-port.js';

type Raw = RawFilterOptions & { d?: unknown; explain?: boolean; testFilter?: string };

/** Options that are about the one filter of a command line. */
const OF_ONE_FILTER = { d: '-d', explain: '--explain', testFilter: '--test-filter' } as const;

/**
 * What is captured of the ports that one -i names, one for each.
 * @param words the expression for all ports
 * @param raw the options for all ports
 * @throws UsageError
 */
export function chooseFor(
  { port, snapshotLength, expression }: PortWords,
  words: readonly string[],
  raw: Raw & Parameters<typeof readFilter>[1],
): PortChoice[] {
  const filter = readFilter(words, { ...raw, expression: [...(raw.expression ?? []), ...expression] });
  const snaplen = checkSnaplen(snapshotLength);
  return splitPorts(port).map(() => ({ snaplen, filter }));
}

/** The longest snaplen: memory is made for copies of that size. */
export function longestSnaplen(choices: readonly PortChoice[]): number {
  return Math.max(...choices.map(({ snaplen }) => snaplen));
}

/** @throws UsageError for what cannot be told of several filters */
export function refuseSeveral(raw: Raw): void {
  for (const [name, option] of Object.entries(OF_ONE_FILTER)) {
    if (raw[name as keyof typeof OF_ONE_FILTER] === undefined) continue;
    throw new UsageError(`${option} is about one filter, and ports have different ones here`, {
      subject: option,
      hint: 'leave out all -i but one',
    });
  }
}
