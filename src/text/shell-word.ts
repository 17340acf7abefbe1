/** Words of commands that a person is told to paste into a shell. Pure. */

/** One word for a shell, whatever is in the text. */
export function quoted(text: string): string {
  return `'${text.replace(/'/g, "'\\''")}'`;
}

/** The same, and as it is where a shell changes nothing in it. */
export function shellWord(text: string): string {
  return /^[\w@%+:,./-]+$/.test(text) ? text : quoted(text);
}
