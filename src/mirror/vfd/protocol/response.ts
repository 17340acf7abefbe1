/** Parses VFd's answers: from bytes to a typed value, or to a statement of what is wrong with them. */

export interface VfdAnswer {
  kind: 'answer';
  ok: boolean;
  /** Undefined when the answer gave none. */
  id: string | undefined;
  lines: string[];
}

/** cut: the answer began and has no end. rubbish: it ended and is no answer. */
export type ParsedAnswer = VfdAnswer | { kind: 'cut' | 'rubbish'; text: string };

const END = '@eom@';
const HEADER =
  /^\s*\{\s*"action":\s*"response",\s*(?:"vfd_rid":\s*"([^"\n]*)",\s*)?"state":\s*"(OK|ERROR)",\s*"msg":\s*\[\s*?/;

/** Whether an answer is complete: the line @eom@ ends it, not the end of the file. */
export function isComplete(bytes: Buffer): boolean {
  const text = bytes.toString('latin1');
  return text.startsWith(`${END}\n`) || text.includes(`\n${END}\n`);
}

/** Parses an answer. VFd does not escape its texts, so this is no JSON: lines are recognised by their ends. */
export function parseAnswer(bytes: Buffer): ParsedAnswer {
  const text = bytes.toString('utf8');
  const end = text.search(/(?:^|\n)@eom@\n/);
  if (end < 0) return { kind: 'cut', text };
  const body = text.slice(0, end);
  const header = HEADER.exec(body);
  const lines = header && parseLines(body.slice(header[0].length));
  if (!header || !lines) return { kind: 'rubbish', text };
  const id = header[1] === 'not-supplied' ? undefined : header[1];
  return { kind: 'answer', ok: header[2] === 'OK', id, lines };
}

/** Parses what follows `[`: each line in quotes on a line of its own, commas between them, and ` ] }` at the end. */
function parseLines(text: string): string[] | undefined {
  const list = /^([\s\S]*?)\s*\]\s*\}\s*$/.exec(text)?.[1];
  if (list === undefined) return undefined;
  if (list.trim() === '') return [];
  const rows = list.replace(/^\n/, '').split('\n');
  const lines: string[] = [];
  for (const [i, row] of rows.entries()) {
    const content = (i < rows.length - 1 ? /^\s*"(.*)",$/ : /^\s*"(.*)"$/).exec(row)?.[1];
    if (content === undefined) return undefined;
    lines.push(content);
  }
  return lines;
}

/** Makes a text fit for a terminal: no control characters, and cut at `limit`. */
export function printable(text: string, limit = 300): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is replaced
  const clean = text.replace(/[\x00-\x1f\x7f-\x9f]+/g, ' ').trim();
  return clean.length > limit ? `${clean.slice(0, limit)}...` : clean;
}
