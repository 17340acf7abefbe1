/** `--vlan`: which tags a frame must have. */
import { UsageError } from '../errors.js';
import { didYouMean } from './suggest.js';

/** VLAN ids from the first to the last, both included. */
export type VlanRange = readonly [first: number, last: number];

/**
 * any: VLAN tags do not matter, but for an expression that speaks of them (reading.ts). strict: to the letter, as tcpdump
 * does. none: the frame must have no tag. Ids: one of its tags must be one of these; otherwise as any.
 */
export type VlanMode = 'any' | 'strict' | 'none' | readonly VlanRange[];

export const VLAN_MAX = 4095;
const WORDS = ['any', 'strict', 'none'] as const;
const HINT = `use any, none, strict, or VLAN ids from 0 to ${VLAN_MAX} such as 10 or 10,20-29`;

/**
 * What all `--vlan` options say together: ids add up, a word stands alone.
 * @throws UsageError
 */
export function parseVlan(texts: readonly string[]): VlanMode {
  const parts = texts.flatMap((text) => text.split(','));
  const word = WORDS.find((one) => parts.includes(one));
  if (word === undefined) return parts.length === 0 ? 'any' : normalise(parts.map(parseRange));
  const other = parts.find((part) => part !== word);
  if (other === undefined) return word;
  throw new UsageError(`--vlan: ${word} and ${other} contradict each other`, {
    subject: texts.join(','),
    hint: `give one of them; VLAN ids may be several: --vlan 10,20-29`,
  });
}

function parseRange(text: string): VlanRange {
  const [, first, last = first] = /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(text) ?? [];
  const range = [Number(first), Number(last)] as const;
  if (first !== undefined && range[0] <= range[1] && range[1] <= VLAN_MAX) return range;
  throw new UsageError(`--vlan: \`${text}\` is no VLAN id`, { subject: text, hint: didYouMean(text, WORDS) ?? HINT });
}

/** In order, and those that touch as one. */
function normalise(ranges: readonly VlanRange[]): VlanRange[] {
  const merged: [number, number][] = [];
  for (const [first, last] of [...ranges].sort((a, b) => a[0] - b[0])) {
    const before = merged.at(-1);
    if (before && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else merged.push([first, last]);
  }
  return merged;
}

/** As it can be typed. */
export function vlanText(mode: VlanMode): string {
  if (typeof mode === 'string') return mode;
  return mode.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(',');
}
