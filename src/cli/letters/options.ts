/** tcpdump's letters as options of a command, and what was given of them. */
import { type Command, Option } from 'commander';
import { UsageError } from '../../errors.js';
import type { Display } from '../../protocol/display.js';
import { explainUnknownLetters } from './instead.js';
import { LETTERS, type Letter, lettersThat } from './table.js';

/** The options of a command as commander hands them over: a letter that was repeated is a number. */
export type RawLetters = Readonly<Record<string, unknown>>;

/** Adds the letters of the table to a command, and an explanation for letters that are not in it. */
export function addLetters(command: Command): void {
  for (const letter of LETTERS) {
    const option = new Option(letter.flags, letter.help);
    // Switches count how often they were given. refuseRepeatedValues() takes care of options with a value.
    if (!option.required && !option.negate) option.argParser((_: unknown, before: unknown) => Number(before ?? 0) + 1);
    command.addOption(option);
  }
  explainUnknownLetters(command);
}

/** What the option `flags` is called among a command's values. */
export const attributeOf = ({ flags }: Pick<Letter, 'flags'>): string => new Option(flags).attributeName();

/**
 * Picks what the printing program is to be told.
 * @throws UsageError for a letter that was given too often
 */
export function displayFrom(raw: RawLetters, nano: boolean): Display {
  const letters: Record<string, number> = {};
  const values: Record<string, string> = {};
  const names: string[] = [];
  for (const letter of lettersThat('print')) {
    const given = raw[attributeOf(letter)];
    if (given === undefined) continue;
    const short = new Option(letter.flags).short?.slice(1);
    if (short === undefined) names.push(attributeOf(letter));
    else if (typeof given === 'string') values[short] = given;
    else letters[short] = checkTimes(letter, short, Number(given));
  }
  return { letters, values, names, nano };
}

function checkTimes({ most = Number.POSITIVE_INFINITY }: Letter, short: string, times: number): number {
  if (times <= most) return times;
  throw new UsageError(`-${short.repeat(times)}: -${short} is given ${times} times`, {
    subject: `-${short}`,
    hint: `use -${short} to -${short.repeat(most)}`,
  });
}
