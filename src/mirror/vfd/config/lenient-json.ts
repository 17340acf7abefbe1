/**
 * Parses JSON as VFd's parser (jsmn, non-strict) does, with the position of every token: trailing commas, bare words
 * and comments are accepted. Texts are latin1, one character for each byte, so that positions are those of bytes.
 * Strings are not unescaped, as in VFd.
 */

/** A value and where it stands: `text.slice(start, end)`. */
export type JsonNode =
  | { kind: 'object'; start: number; end: number; members: JsonMember[] }
  | { kind: 'array'; start: number; end: number; items: JsonNode[] }
  | { kind: 'string' | 'word'; start: number; end: number; text: string };

export interface JsonMember {
  key: string;
  /** Position of the key's opening quote. */
  start: number;
  value: JsonNode;
  /** Position of the first comma behind it. */
  comma: number | undefined;
}

/** Thrown when the text is not even this kind of JSON. */
export class LenientJsonError extends Error {
  constructor(what: string, offset: number) {
    super(`${what} at byte ${offset}`);
    this.name = 'LenientJsonError';
  }
}

/** Limits the nesting, so that hostile files cannot exhaust the stack. VFd's own files nest three deep. */
const MAX_DEPTH = 64;
const BLANK = /[\s\0]/;
const WORD_END = /[\s,:\]}{["]/;

/**
 * Reads the first value of a text.
 * @throws LenientJsonError
 */
export function scanJson(text: string): JsonNode {
  return new Scanner(text).value(skipTrivia(text, 0), 0);
}

/** First position at or after `at` that is neither blank nor in a comment. */
export function skipTrivia(text: string, at: number): number {
  let i = at;
  for (;;) {
    while (i < text.length && BLANK.test(text[i] as string)) i++;
    const end = commentEnd(text, i);
    if (end === undefined) return i;
    i = end;
  }
}

function commentEnd(text: string, at: number): number | undefined {
  const block = text.startsWith('/*', at);
  if (!block && !text.startsWith('//', at) && text[at] !== '#') return undefined;
  const end = block ? text.indexOf('*/', at + 2) : text.indexOf('\n', at);
  if (end < 0) return text.length;
  return block ? end + 2 : end + 1;
}

class Scanner {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  value(at: number, depth: number): JsonNode {
    if (depth > MAX_DEPTH) throw new LenientJsonError('nested too deeply', at);
    const first = this.#text[at];
    if (first === '{') return this.#object(at, depth);
    if (first === '[') return this.#array(at, depth);
    return first === '"' ? this.#string(at) : this.#word(at);
  }

  #object(start: number, depth: number): JsonNode {
    const members: JsonMember[] = [];
    let at = this.#skipCommas(start + 1, undefined);
    while (this.#text[at] !== '}') {
      const key = this.#text[at] === '"' ? this.#string(at) : undefined;
      if (!key) throw new LenientJsonError('expected a quoted member name or }', at);
      const colon = skipTrivia(this.#text, key.end);
      if (this.#text[colon] !== ':') throw new LenientJsonError('expected a colon', colon);
      const value = this.value(skipTrivia(this.#text, colon + 1), depth + 1);
      const member: JsonMember = { key: key.text, start: at, value, comma: undefined };
      members.push(member);
      at = this.#skipCommas(value.end, member);
    }
    return { kind: 'object', start, end: at + 1, members };
  }

  #array(start: number, depth: number): JsonNode {
    const items: JsonNode[] = [];
    let at = this.#skipCommas(start + 1, undefined);
    while (this.#text[at] !== ']') {
      const item = this.value(at, depth + 1);
      items.push(item);
      at = this.#skipCommas(item.end, undefined);
    }
    return { kind: 'array', start, end: at + 1, items };
  }

  /** Skips any number of commas, as jsmn does, and notes the first. */
  #skipCommas(from: number, member: JsonMember | undefined): number {
    let at = skipTrivia(this.#text, from);
    while (this.#text[at] === ',') {
      if (member) member.comma ??= at;
      at = skipTrivia(this.#text, at + 1);
    }
    return at;
  }

  #string(start: number): JsonNode & { text: string } {
    let at = start + 1;
    while (at < this.#text.length && this.#text[at] !== '"') at += this.#text[at] === '\\' ? 2 : 1;
    if (at >= this.#text.length) throw new LenientJsonError('string without end', start);
    return { kind: 'string', start, end: at + 1, text: this.#text.slice(start + 1, at) };
  }

  #word(start: number): JsonNode {
    let at = start;
    while (at < this.#text.length && !WORD_END.test(this.#text[at] as string)) at++;
    if (at === start) throw new LenientJsonError(at < this.#text.length ? 'expected a value' : 'unexpected end', at);
    return { kind: 'word', start, end: at, text: this.#text.slice(start, at) };
  }
}

/**
 * Returns the plain value. Words become booleans, null and numbers where they are such, else text. Of duplicate
 * members, the last one wins.
 */
export function toValue(node: JsonNode): unknown {
  switch (node.kind) {
    case 'object':
      return Object.fromEntries(node.members.map(({ key, value }) => [key, toValue(value)]));
    case 'array':
      return node.items.map(toValue);
    case 'string':
      return Buffer.from(node.text, 'latin1').toString('utf8');
    default:
      return wordValue(node.text);
  }
}

function wordValue(word: string): unknown {
  if (word === 'true' || word === 'false') return word === 'true';
  if (word === 'null') return null;
  return Number.isNaN(Number(word)) ? word : Number(word);
}
