/** `--vlan`: which tags a frame must have. */
import { UsageError } from '../../errors.js';
import { didYouMean } from '../../text/suggest.js';
import { type Interval, intervalsText, mergeIntervals } from '../bpf/interval-set.js';

/**
 * any: VLAN tags do not matter, except for an expression that speaks of them (reading.ts). strict: the filter is read
 * to the letter, as by tcpdump. none: the frame must have no tag. Ids: one of the frame's tags must have one of these
 * ids; all else is as for any.
 */
export type VlanMode = 'any' | 'strict' | 'none' | readonly Interval[];

export const VLAN_MAX = 4095;
const WORDS = ['any', 'strict', 'none'] as const;
const HINT = `use any, none, strict, or VLAN ids from 0 to ${VLAN_MAX} such as 10 or 10,20-29`;

/**
 * Parses all `--vlan` options together: ids add up, a word stands alone.
 * @throws UsageError
 */
export function parseVlan(texts: readonly string[]): VlanMode {
  const parts = texts.flatMap((text) => text.split(','));
  const word = WORDS.find((one) => parts.includes(one));
  if (word === undefined) return parts.length === 0 ? 'any' : mergeIntervals(parts.map(parseRange));
  const other = parts.find((part) => part !== word);
  if (other === undefined) return word;
  throw new UsageError(`--vlan: ${word} and ${other} contradict each other`, {
    subject: texts.join(','),
    hint: `give one of them; VLAN ids may be several: --vlan 10,20-29`,
  });
}

function parseRange(text: string): Interval {
  const [, first, last = first] = /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(text) ?? [];
  const range = [Number(first), Number(last)] as const;
  if (first !== undefined && range[0] <= range[1] && range[1] <= VLAN_MAX) return range;
  throw new UsageError(`--vlan: \`${text}\` is no VLAN id`, { subject: text, hint: didYouMean(text, WORDS) ?? HINT });
}

/** The mode as it can be typed. */
export const vlanText = (mode: VlanMode): string => (typeof mode === 'string' ? mode : intervalsText(mode));
