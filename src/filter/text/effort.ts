/**
 * Judges how long libpcap will take for an expression. The time of its optimiser grows with the cube of the number of
 * alternatives (1.10: 300 hosts take seconds, 1000 minutes), it cannot be interrupted, and only its result tells
 * whether a primary can run the program. So the effort is judged beforehand, by the length of the program before
 * optimisation, which is quick to compute.
 */

import { UsageError } from '../../errors.js';
import type { FilterBinding } from '../../native/filter-binding.js';
import type { Part } from './complaints.js';
import { type Token, tokenise } from './tokens.js';

/** Milliseconds per cube of a thousand instructions: the highest value that was measured, for lists of `host`. */
const MS_PER_CUBIC_KILO = 8;
/** A longer program would take over a minute. */
const LENGTH_MAX = 20_000;
/** A compilation that takes longer is announced. */
const SILENT_MS = 500;
/** Texts above WHOLE_TOKENS are judged by about their first SAMPLE_TOKENS: even unoptimised, they take seconds. */
const SAMPLE_TOKENS = 200;
const WHOLE_TOKENS = 300;

/** Instructions before optimisation; an estimate for long texts. Undefined when the text does not compile. */
function lengthOf(text: string, native: FilterBinding): number | undefined {
  const tokens = tokenise(text);
  const sample = tokens.length > WHOLE_TOKENS ? beginning(tokens) : tokens.length;
  try {
    const end = tokens[sample - 1]?.end ?? 0;
    return (native.compileFilter(text.slice(0, end), false).length * tokens.length) / sample;
  } catch {
    return undefined; // the later compilation reports what is wrong
  }
}

/** How many tokens precede the first `or` outside all brackets, from SAMPLE_TOKENS on; all when there is none. */
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
 * Announces that compiling takes a while, when it does.
 * @throws UsageError ERR_FILTER_UNSUPPORTED when it would take too long
 */
export function judgeEffort(parts: readonly Part[], native: FilterBinding, announce: (line: string) => void): void {
  const lengths = parts.map(({ text }) => lengthOf(text, native));
  // The later compilation complains about a part that does not compile.
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
