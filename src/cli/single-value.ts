/** Refuses a second value for an option that takes one: commander lets the last one win, and nobody would notice. */
import type { Command, Option } from 'commander';
import { UsageError } from '../errors.js';

/**
 * Makes each option of a command and of its subcommands that takes a value refuse a second one. Options with their own
 * parser, which are those that may be repeated, are left alone. So are switches: a second one changes nothing.
 */
export function refuseRepeatedValues(command: Command): void {
  for (const option of command.options) {
    const takesValue = option.required || option.optional;
    if (takesValue && option.parseArg === undefined) option.argParser(once(option));
  }
  for (const subcommand of command.commands) refuseRepeatedValues(subcommand);
}

function once(option: Option): (value: string) => string {
  let first: string | undefined;
  return (value) => {
    if (first === undefined) {
      first = value;
      return value;
    }
    const name = option.long ?? option.short;
    const what = first === value ? `\`${value}\`` : `\`${first}\` and \`${value}\``;
    throw new UsageError(`${name} is given twice: ${what}`, { subject: value, hint: `give ${name} once` });
  };
}
