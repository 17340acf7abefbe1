/**
 * Finds the place of the mistake in an expression. libpcap 1.10 only says "syntax error". Its parser stops at the first
 * token after which nothing could follow to make the text valid; so the search is for the longest beginning that some
 * ending completes.
 */
import { type Token, tokenise } from './tokens.js';

/** Compiles a text and returns libpcap's complaint, or undefined. */
export type TryCompile = (text: string) => string | undefined;

const MIDDLES = [
  '',
  ' 1',
  ' 1 = 1',
  ' = 1',
  ' 10.0.0.1',
  ' host 10.0.0.1',
  ' tcp',
  ' port 1',
  ' 1-2',
  ' 0:0:0:0:0:0',
  ' 0] = 1',
  '] = 1',
  ' ip',
];
const isSyntaxError = (complaint: string | undefined): boolean =>
  complaint !== undefined && /syntax error/.test(complaint);

/** The endings that close the brackets of a beginning, innermost first: plain, and with `= 1` after any one of them. */
function closers(tokens: readonly Token[]): string[] {
  const open: string[] = [];
  for (const { text } of tokens) {
    if (text === '(' || text === '[') open.push(text === '(' ? ')' : ']');
    else if (text === ')' || text === ']') open.pop();
  }
  const closing = open.reverse().slice(0, 8);
  const ways = closing.map((_, at) => closing.map((bracket, i) => (i === at ? `${bracket} = 1` : bracket)).join(''));
  return [closing.join(''), ...ways];
}

function canContinue(text: string, tokens: readonly Token[], count: number, compile: TryCompile): boolean {
  if (count === 0) return true;
  const beginning = text.slice(0, (tokens[count - 1] as Token).end);
  const endings = closers(tokens.slice(0, count)).flatMap((closer) => MIDDLES.map((middle) => middle + closer));
  // A middle may already close the innermost bracket ("] = 1").
  endings.push(
    ...closers(tokens.slice(0, count)).flatMap((closer) => MIDDLES.map((middle) => middle + closer.slice(1))),
  );
  return endings.some((ending) => !isSyntaxError(compile(beginning + ending)));
}

/** In longer texts the place is not looked for, because libpcap would need its time for each of many tries. */
export const PLACE_TOKENS_MAX = 400;

/** The token at which libpcap stops, or undefined when the text only ends too early. */
export function syntaxErrorPlace(text: string, compile: TryCompile): Token | undefined {
  const tokens = tokenise(text);
  let [good, bad] = [0, tokens.length + 1];
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (canContinue(text, tokens, middle, compile)) good = middle;
    else bad = middle;
  }
  return tokens[bad - 1];
}

/** The text with a line of carets under [start, end). Long texts are cut around the place. */
export function caretLine(text: string, start: number, end: number): string {
  const from = Math.max(0, start - 60);
  const flat = text.slice(from, from + 120).replace(/\s/g, ' ');
  const prefix = from > 0 ? '...' : '';
  const carets = '^'.repeat(Math.max(1, Math.min(end, from + 120) - start));
  return `  ${prefix}${flat}\n  ${' '.repeat(prefix.length + start - from)}${carets}`;
}
