/** A set of many IPv4 or IPv6 addresses and networks, as words of 32 bits of which the first decides first. */
import { type Interval, mergeIntervals } from '../bpf/interval-set.js';
import { UINT32_MAX } from '../bpf/intervals.js';

/** The first `bits` bits of an address; with all bits, the prefix is the address itself. */
export interface Prefix {
  bytes: readonly number[];
  bits: number;
}

/** What one word of an address decides, when all words in front of it are those that lead to this set. */
export interface WordSet {
  /** Words that put the address into the set, whatever follows. */
  whole: Interval[];
  /** Words after which the next word decides. */
  deeper: Map<number, WordSet>;
}

/** The set of all addresses that begin with one of the prefixes, which are of one family. */
export function addressSet(prefixes: readonly Prefix[]): WordSet {
  const root = emptySet();
  for (const prefix of prefixes) insert(root, prefix);
  return simplified(root);
}

const emptySet = (): WordSet => ({ whole: [], deeper: new Map() });

function insert(root: WordSet, { bytes, bits }: Prefix): void {
  let set = root;
  const last = Math.max(0, Math.ceil(bits / 32) - 1);
  for (let at = 0; at < last; at++) {
    const word = wordAt(bytes, at);
    const next = set.deeper.get(word) ?? emptySet();
    set.deeper.set(word, next);
    set = next;
  }
  const free = 2 ** (32 * (last + 1) - bits);
  const first = Math.floor(wordAt(bytes, last) / free) * free;
  set.whole.push([first, Math.min(first + free - 1, UINT32_MAX)]);
}

/** The word as an unsigned number. */
const wordAt = (bytes: readonly number[], word: number): number =>
  bytes.slice(4 * word, 4 * word + 4).reduce((value, byte) => value * 256 + byte, 0);

/** Puts the intervals in order, and drops each deeper set whose word lies in one of them. */
function simplified({ whole, deeper }: WordSet): WordSet {
  const merged = mergeIntervals(whole);
  const isWhole = (word: number): boolean => merged.some(([first, last]) => word >= first && word <= last);
  const left = [...deeper].filter(([word]) => !isWhole(word)).sort(([a], [b]) => a - b);
  return { whole: merged, deeper: new Map(left.map(([word, set]) => [word, simplified(set)])) };
}
