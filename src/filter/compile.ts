/** From what was typed to a program for the primary: words, named filters and an expression, all of which must match. */
import { binding, type ClassicInsn, type FilterBinding } from '../binding.js';
import { UsageError } from '../errors.js';
import { convert, type VlanMode } from './convert.js';
import { encode } from './insn.js';
import { findFilter } from './named.js';
import { didYouMean, KEYWORDS } from './suggest.js';
import { caretLine, syntaxErrorPlace } from './syntax-place.js';
import { type tokenise, usesVlan } from './tokens.js';
import { type FilterWords, wordsToExpression } from './words.js';

export interface FilterOptions {
  words?: FilterWords | undefined;
  /** Names given with `--filter`. */
  filters?: readonly string[] | undefined;
  /** A pcap-filter expression. */
  expression?: string | undefined;
  /** Default: any. With `vlan` in the expression itself, any becomes strict. */
  vlan?: VlanMode | undefined;
}

export interface FilterProgram {
  /** The whole expression, as libpcap has seen it. */
  expression: string;
  classic: ClassicInsn[];
  /** 8-byte eBPF instructions, ready for the primary. */
  extended: Uint8Array;
  /** How many instructions `extended` holds. */
  instructions: number;
  vlan: VlanMode;
}

/** What {@link compileFilter} needs from outside; tests replace it. */
export interface FilterTools {
  native: FilterBinding;
  /** Folders of named filters. */
  folders?: readonly string[] | undefined;
}

/** Longest time the primary's control thread may spend on loading a filter. */
export const LOAD_LIMIT_MS = 1000;

/** One part of the filter, with what to call it in a complaint. */
interface Part {
  subject: string;
  text: string;
}

/**
 * Compiles everything into one program; undefined when every packet matches, which needs no program in the primary.
 * Nothing is attached or changed. Host names in an expression are looked up by libpcap, as in tcpdump.
 * @throws UsageError ERR_FILTER_SYNTAX with libpcap's words and the place; ERR_FILTER_UNKNOWN; ERR_FILTER_UNSUPPORTED
 */
export function compileFilter(
  options: FilterOptions,
  tools: FilterTools = { native: binding() },
): FilterProgram | undefined {
  const parts = collect(options, tools.folders);
  if (parts.length === 0) return undefined;
  // Each part on its own first: the complaint then speaks of what was typed, and no bracket can reach into another part.
  // Without the optimiser, whose time grows with the cube of the number of alternatives.
  for (const part of parts) compilePart(part, tools.native, false);
  const expression = parts.length === 1 ? (parts[0] as Part).text : parts.map(({ text }) => `(${text})`).join(' and ');
  const classic = compilePart({ subject: 'filter', text: expression }, tools.native, true);
  if (classic.length === 1 && classic[0]?.code === 0x06 && classic[0].k !== 0) return undefined;
  const vlan = options.vlan === 'strict' || usesVlan(expression) ? 'strict' : 'any';
  const extended = encode(convert(classic, { vlan, layout: tools.native.mbufLayout }));
  verify(extended, tools.native);
  return { expression, classic, extended, instructions: extended.length / 8, vlan };
}

function collect(options: FilterOptions, folders: readonly string[] | undefined): Part[] {
  const words = wordsToExpression(options.words ?? {});
  const named = (options.filters ?? []).map((name) => {
    const { expression } = findFilter(name, folders);
    return { subject: `filter \`${name}\``, text: expression };
  });
  const parts = [
    { subject: 'filter', text: words ?? '' },
    ...named,
    { subject: 'filter', text: options.expression ?? '' },
  ];
  return parts.filter(({ text }) => text.trim() !== '');
}

function compilePart(part: Part, native: FilterBinding, optimize: boolean): ClassicInsn[] {
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

/** libpcap's words, the place, and a suggestion. */
function explain({ subject, text }: Part, words: string, complaint: (text: string) => string | undefined): UsageError {
  const isSyntax = /syntax error/.test(words);
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

/** Complaints about a meaning quote the word they are about. */
function namedPlace(text: string, words: string): ReturnType<typeof tokenise>[number] | undefined {
  const quoted = /['"]([^'"]+)['"]/.exec(words)?.[1] ?? /number (\S+)/.exec(words)?.[1];
  if (!quoted) return undefined;
  const start = text.indexOf(quoted);
  return start < 0 ? undefined : { text: quoted, start, end: start + quoted.length };
}

function hintFor(word: string | undefined, words: string): string {
  if (/rejects all packets/.test(words)) return 'its parts contradict each other: no packet can match';
  if (/netmask not known/.test(words)) return 'use `ether broadcast`, or `dst host` with the broadcast address';
  if (word && /^[a-z]/i.test(word) && !KEYWORDS.includes(word)) {
    const suggestion = didYouMean(word, KEYWORDS);
    if (suggestion) return suggestion;
  }
  if (word === undefined && /syntax error/.test(words)) return 'the expression ends too early: complete it';
  return 'see pcap-filter(7); quote the expression so that the shell leaves it alone';
}

/** The trial load: a program the verifier refuses, or chews on for long, never reaches the primary. */
function verify(extended: Uint8Array, native: FilterBinding): void {
  try {
    native.verifyExtended(extended, LOAD_LIMIT_MS);
  } catch (cause) {
    throw new UsageError(`the filter cannot be loaded into a primary: ${(cause as Error).message}`, {
      code: 'ERR_FILTER_UNSUPPORTED',
      cause,
      hint: 'use a simpler expression: fewer alternatives, less arithmetic on packet bytes',
    });
  }
}
