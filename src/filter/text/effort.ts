/**
 * How long libpcap will take for an expression. The time of its optimiser grows with the cube of the number of alternatives
 * (1.10: 300 hosts take seconds, 1000 minutes), it cannot be interrupted, and only its result tells whether a primary can run
 * it. So it is judged beforehand, by the length of the program before optimisation, which is quick to come by.
 */

import { UsageError } from '../../errors.js';
import type { FilterBinding } from '../../native/filter-binding.js';
import type { Part } from './complaints.js';
import { type Token, tokenise } from './tokens.js';

/** Milliseconds for a thousand instructions, to the third power: the most that was measured, for lists of `host`. */
const MS_PER_CUBIC_KILO = 8;
/** More would take over a minute. */
const LENGTH_MAX = 20_000;
/** What takes longer is announced. */
const SILENT_MS = 500;
/** Longer texts are judged by a beginning of about so many tokens: even without the optimiser they take seconds. */
const SAMPLE_TOKENS = 200;
const WHOLE_TOKENS = 300;

/** Instructions before optimisation; an estimate for long texts. Undefined where the text cannot be compiled. */
function lengthOf(text: string, native: FilterBinding): number | undefined {
  const tokens = tokenise(text);
  const sample = tokens.length > WHOLE_TOKENS ? beginning(tokens) : tokens.length;
  try {
    const end = tokens[sample - 1]?.end ?? 0;
    return (native.compileFilter(text.slice(0, end), false).length * tokens.length) / sample;
  } catch {
    return undefined; // what is wrong is told by whoever compiles it
  }
}

/** How many tokens stand in front of an `or` outside of all brackets, near the size of a sample; all where there is none. */
function beginning(tokens: readonly Token[]): number {
  let depth = 0;
  for (const [at, { text }] of tokens.entries()) {
    if (text === '(' || text === '[') depth++;
    else if (text === ')' || text === ']') depth--;
    else if (depth === 0 && at >= SAMPLE_TOKENS && (text === 'or' || text === '||')) return at;
  }
  return tokens.length;
}

/**
 * Says that compiling takes a while, where it does.
 * @throws UsageError ERR_FILTER_UNSUPPORTED where it would take too long
 */
export function judgeEffort(parts: readonly Part[], native: FilterBinding, announce: (line: string) => void): void {
  const lengths = parts.map(({ text }) => lengthOf(text, native));
  // A part that cannot be compiled is about to be complained of.
  if (lengths.includes(undefined)) return;
  const length = Math.round((lengths as number[]).reduce((sum, one) => sum + one, 0));
  if (length > LENGTH_MAX) {
    throw new UsageError(
      `the expression is too long: about ${length} instructions before optimisation, at most ${LENGTH_MAX}; ` +
        'libpcap would take minutes for it',
      {
        code: 'ERR_FILTER_UNSUPPORTED',
        hint: 'give addresses, networks and ports as --host, --net and --port, of which there may be thousands',
      },
    );
  }
  const ms = MS_PER_CUBIC_KILO * (length / 1000) ** 3;
  if (ms <= SILENT_MS) return;
  const seconds = Math.ceil(ms / 1000);
  announce(
    `compiling the filter, which may take up to ${seconds} s; lists of addresses are quicker as --host, --net, --port`,
  );
}
