/** Turns what was typed into a program for the primary: words, named filters, expressions, all of which must match. */

import { UsageError } from '../errors.js';
import type { ClassicInsn } from '../native/filter-binding.js';
import type { PipelineOptions, Stage } from './codegen/pipeline.js';
import { type FilterNative, isTooComplex, type LoadableProgram, makeLoadable } from './loadable.js';
import { compilePart, type Part } from './text/complaints.js';
import { judgeEffort } from './text/effort.js';
import { findFilter } from './text/named-filters.js';
import { extensionNote, orderNote } from './text/notes.js';
import { literalReason } from './text/reading.js';
import { caretLine } from './text/syntax-place.js';
import { usesVlan } from './text/tokens.js';
import { compileWords, type FilterWords, type WordsProgram } from './words/filter-words.js';
import { EXTENSIONS_MAX } from './words/match-transport.js';
import { type VlanMode, vlanText } from './words/vlan-ids.js';

export interface FilterOptions {
  words?: FilterWords | undefined;
  /** Names given with `--filter`. */
  filters?: readonly string[] | undefined;
  /** pcap-filter expressions. */
  expressions?: readonly string[] | undefined;
  /** Default: any. */
  vlan?: VlanMode | undefined;
  /** The whole filter is about the packet inside this many tunnels; only `vlan` is still about the outer frame. */
  inner?: number | undefined;
}

/** A part of the filter as libpcap compiled it. */
export interface CompiledStage extends Stage {
  text: string;
  /** Why the part is read on the frame as it is, when the user did not ask for that. */
  why?: string | undefined;
}

/** A part, and the reason why it is about the frame as it is, if it is. */
interface ReadPart extends Part {
  literal: string | undefined;
}

export interface FilterProgram extends LoadableProgram {
  /** The whole filter, as text for the user. */
  expression: string;
  /** How the filter treats VLAN tags, as text for the user. */
  reading: string;
  stages: CompiledStage[];
  /** How many instructions `extended` holds. */
  instructions: number;
  vlan: VlanMode;
  inner: number | undefined;
  /** What the filter says although few people mean it; each note is a sentence without its full stop. */
  notes: string[];
  /** Further hints, for a user who asks for an explanation. */
  hints: string[];
}

/** What {@link compileFilter} needs from outside; tests replace it. */
export interface FilterTools {
  native: FilterNative;
  /** Folders of named filters. */
  folders?: readonly string[] | undefined;
  /** Called before a compilation that takes a while, because nothing else runs during it. */
  announce?: ((line: string) => void) | undefined;
}

/** The number of extension headers for which verifiers that walk every path have time. */
const FEW_EXTENSIONS = 2;

/** How frames are read, in the words of the start line and of `--explain`. */
export const VIEWS = { untagged: 'VLAN tags skipped', wire: 'the frame as it is, tags included' } as const;

/**
 * Compiles everything into one program; undefined when every packet matches, which needs no program in the primary.
 * Nothing is attached or changed. Host names in an expression are looked up by libpcap, as in tcpdump.
 * @throws UsageError ERR_FILTER_SYNTAX with libpcap's words and the place; ERR_FILTER_UNKNOWN; ERR_FILTER_UNSUPPORTED
 */
export function compileFilter(options: FilterOptions, tools: FilterTools): FilterProgram | undefined {
  const { vlan = 'any', inner } = options;
  // Each part is first compiled alone: a complaint then quotes what was typed, and no bracket can reach into another
  // part. The optimiser is off here, because its time grows with the cube of the number of alternatives.
  const words = compileWords(options.words ?? {});
  const given = collect(options, tools.folders);
  judgeEffort(given, tools.native, tools.announce ?? (() => {}));
  const parts = given.map((part): ReadPart => {
    return { ...part, literal: literalReason(part.text, compilePart(part, tools.native, false)) };
  });
  if (vlan === 'none') refuseVlanInside(parts);
  const arranged = arrange(parts, vlan).map((stage): CompiledStage => {
    return { ...stage, classic: compilePart({ subject: 'filter', text: stage.text }, tools.native, true) };
  });
  const expressions = arranged.filter(({ classic }) => !isAlwaysTrue(classic));
  const required = vlan === 'any' || vlan === 'strict' ? undefined : vlan;
  if (!words && expressions.length === 0 && required === undefined && inner === undefined) return undefined;
  const built = build(options, words, expressions, { vlan: required, inner }, tools.native);
  return {
    ...built,
    expression: describe([...(words ? [words] : []), ...parts], vlan, inner),
    reading: describeReading(built.stages),
    instructions: built.extended.length / 8,
    vlan,
    inner,
    notes: [...built.notes, ...orderNotes(given)],
    hints: given.map(({ text }) => extensionNote(text)).filter((note) => note !== undefined),
  };
}

type Built = Pick<FilterProgram, 'stages' | 'extended' | 'extendedTx' | 'kernel' | 'notes'>;

/**
 * Puts the words in front of the expressions. Verifiers before 21.11.8, 22.11.6, 23.11.2 and 24.07 walk every path
 * through a program: where they take too long, the program walks through fewer extension headers.
 */
function build(
  { words: given = {}, vlan }: FilterOptions,
  words: WordsProgram | undefined,
  expressions: readonly CompiledStage[],
  required: Pick<PipelineOptions, 'vlan' | 'inner'>,
  native: FilterNative,
): Built {
  const view = vlan === 'strict' ? 'wire' : 'untagged';
  const attempt = (own: WordsProgram | undefined, notes: string[]): Built => {
    const stages = own ? [{ ...own, view, isSearch: true } as const, ...expressions] : [...expressions];
    return { stages, ...makeLoadable(stages, required, native), notes };
  };
  if (!words?.walksExtensions) return attempt(words, []);
  for (const extensions of [EXTENSIONS_MAX, FEW_EXTENSIONS]) {
    const note = `of IPv6 packets ${extensions} extension headers are looked behind, not ${EXTENSIONS_MAX}: this DPDK's verifier`;
    try {
      return attempt(compileWords(given, extensions), extensions === EXTENSIONS_MAX ? [] : [`${note} is slow`]);
    } catch (error) {
      if (!isTooComplex(error)) throw error;
    }
  }
  return attempt(compileWords(given, 0), [
    "extension headers of IPv6 are not looked behind: this DPDK's verifier is slow",
  ]);
}

/** Only typed expressions get a note: a named filter is trusted to mean what it says. */
const orderNotes = (parts: readonly Part[]): string[] =>
  parts
    .map(({ subject, text }) => (subject === 'filter' ? orderNote(text) : undefined))
    .filter((note) => note !== undefined);

const isAlwaysTrue = (classic: readonly ClassicInsn[]): boolean =>
  classic.length === 1 && classic[0]?.code === 0x06 && classic[0].k !== 0;

function collect(options: FilterOptions, folders: readonly string[] | undefined): Part[] {
  const named = (options.filters ?? []).map((name) => {
    const { expression } = findFilter(name, folders);
    return { subject: `filter \`${name}\``, text: expression };
  });
  const parts = [...named, ...(options.expressions ?? []).map((text) => ({ subject: 'filter', text }))];
  return parts.filter(({ text }) => text.trim() !== '');
}

const conjunction = (parts: readonly { text: string }[]): string =>
  parts.length === 1 ? (parts[0] as { text: string }).text : parts.map(({ text }) => `(${text})`).join(' and ');

/**
 * Parts that do not speak of tags form one stage, which reads frames without tags. Any other part is a stage of its
 * own: its `vlan` moves what follows it in the same expression, and must not reach into the next part.
 */
function arrange(parts: readonly ReadPart[], vlan: VlanMode): Omit<CompiledStage, 'classic'>[] {
  if (parts.length === 0) return [];
  if (vlan === 'strict') return [{ text: conjunction(parts), view: 'wire' }];
  const plain = parts.filter(({ literal }) => literal === undefined);
  const asItIs = parts.filter(({ literal }) => literal !== undefined);
  return [
    ...(plain.length === 0 ? [] : [{ text: conjunction(plain), view: 'untagged' as const }]),
    ...asItIs.map(({ text, literal }) => ({ text, view: 'wire' as const, why: literal })),
  ];
}

/** The text "VLAN tags skipped", "the frame as it is", or both, the second with the expressions that it is about. */
function describeReading(stages: readonly CompiledStage[]): string {
  const asItIs = stages.filter(({ view }) => view !== 'untagged').map(({ text }) => `\`${text}\``);
  if (asItIs.length === stages.length) return stages.length === 0 ? '' : VIEWS.wire;
  return asItIs.length === 0 ? VIEWS.untagged : `${VIEWS.untagged}, but for ${asItIs.join(' and ')} ${VIEWS.wire}`;
}

function refuseVlanInside(parts: readonly Part[]): void {
  const part = parts.find(({ text }) => usesVlan(text));
  if (!part) return;
  throw new UsageError(`${part.subject}: \`vlan\` contradicts --vlan none\n${pictureOf(part.text, 'vlan')}`, {
    code: 'ERR_FILTER_SYNTAX',
    subject: part.text,
    hint: 'leave out one of them',
  });
}

function pictureOf(text: string, word: string): string {
  const start = text.indexOf(word);
  return caretLine(text, start, start + word.length);
}

function describe(parts: readonly { text: string }[], vlan: VlanMode, inner: number | undefined): string {
  const options = [
    ...(vlan === 'any' ? [] : [`--vlan ${vlanText(vlan)}`]),
    ...(inner === undefined ? [] : [inner === 1 ? '--inner' : `--inner ${inner}`]),
  ];
  const isLiteral = vlan === 'strict' || options.length === 0;
  const text = parts.length === 0 ? '' : conjunction(parts);
  return isLiteral && inner === undefined ? text : [text, ...options].filter((word) => word !== '').join(' ');
}
