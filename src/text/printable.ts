/** Text that others have chosen, for a terminal. Pure. */

/** Anybody can choose names of programs, ports and directories: none of them may send control codes to the terminal. */
export function printable(line: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  return line.replace(/[\x00-\x1f\x7f-\x9f]/g, '?');
}
