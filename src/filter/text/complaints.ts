/** Calls libpcap's compiler and explains a refusal to the user: its words, the place, and what to write instead. */

import { UsageError } from '../../errors.js';
import type { ClassicInsn, FilterBinding } from '../../native/filter-binding.js';
import { didYouMean, KEYWORDS, tunnelHint } from '../../text/suggest.js';
import { caretLine, PLACE_TOKENS_MAX, syntaxErrorPlace } from './syntax-place.js';
import { type Token, tokenise } from './tokens.js';

/** One part of the filter, with the name that a complaint uses for it. */
export interface Part {
  subject: string;
  text: string;
}

/**
 * Compiles one part with libpcap.
 * @param optimize whether libpcap's optimiser is used; its time grows with the cube of the number of alternatives
 * @throws UsageError ERR_FILTER_SYNTAX with libpcap's words, the place and a suggestion
 */
export function compilePart(part: Part, native: FilterBinding, optimize: boolean): ClassicInsn[] {
  const complaint = (text: string): string | undefined => {
    try {
      native.compileFilter(text, false);
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  };
  try {
    return native.compileFilter(part.text, optimize);
  } catch (error) {
    throw explain(part, (error as Error).message, complaint);
  }
}

/** The error for the user: libpcap's words, the place, and a suggestion. */
function explain({ subject, text }: Part, words: string, complaint: (text: string) => string | undefined): UsageError {
  const isSyntax = /syntax error/.test(words);
  const count = isSyntax ? tokenise(text).length : 0;
  if (count > PLACE_TOKENS_MAX) {
    throw new UsageError(`${subject}: ${words} somewhere in its ${count} words`, {
      code: 'ERR_FILTER_SYNTAX',
      subject: text,
      hint: 'try a part of it; give lists of addresses as --host, --net and --port',
    });
  }
  const place = isSyntax ? syntaxErrorPlace(text, complaint) : namedPlace(text, words);
  const details = { code: 'ERR_FILTER_SYNTAX' as const, subject: text };
  if (!place) {
    const endsEarly = isSyntax ? ' at its end' : '';
    const picture = isSyntax ? `\n${caretLine(text, text.length, text.length + 1)}` : '';
    return new UsageError(`${subject}: ${words}${endsEarly}${picture}`, {
      ...details,
      hint: hintFor(undefined, words),
    });
  }
  const near = isSyntax ? ` near \`${place.text}\`` : '';
  const picture = caretLine(text, place.start, place.end);
  return new UsageError(`${subject}: ${words}${near}\n${picture}`, { ...details, hint: hintFor(place.text, words) });
}

/** The place of an error in the meaning: libpcap's message quotes the word that it is about. */
function namedPlace(text: string, words: string): Token | undefined {
  const quoted = /['"]([^'"]+)['"]/.exec(words)?.[1] ?? /number (\S+)/.exec(words)?.[1];
  if (!quoted) return undefined;
  const start = text.indexOf(quoted);
  return start < 0 ? undefined : { text: quoted, start, end: start + quoted.length };
}

function hintFor(word: string | undefined, words: string): string {
  if (/rejects all packets/.test(words)) return 'its parts contradict each other: no packet can match';
  if (/netmask not known/.test(words)) return 'use `ether broadcast`, or `dst host` with the broadcast address';
  const tunnel = word && !KEYWORDS.includes(word) ? tunnelHint(word) : undefined;
  if (tunnel) return tunnel;
  if (word && /^[a-z]/i.test(word) && !KEYWORDS.includes(word)) {
    const suggestion = didYouMean(word, KEYWORDS);
    if (suggestion) return suggestion;
  }
  if (word === undefined && /syntax error/.test(words)) return 'the expression ends too early: complete it';
  return 'see pcap-filter(7); quote the expression so that the shell leaves it alone';
}
