/** Gives the options of a command, where its command line is silent, the values of the configuration files. */
import type { Command, Option } from 'commander';
import type { ConfigFile, ConfigValue } from '../config/files.js';
import { UsageError } from '../errors.js';
import { didYouMean } from '../text/suggest.js';
import { isCommand } from './command.js';

/** What an option holds, and where that stands. */
export interface ConfiguredOption {
  /** As it is typed, without `dpcap`: `mirror set`. */
  command: string;
  option: Option;
  value: ConfigValue;
  path: string;
}

/** A consent is given each time anew, and help is an answer of its own. */
const NEVER = ['--yes', '--force', '--trust-mempools', '--despite-seccomp', '--help', '--version'];

/** Where commander says that the values come from. */
export const FROM_CONFIG = 'config';

/** Sets what the files say about this command. @throws UsageError for what is wrong in its part of a file */
export function applyConfig(command: Command, files: readonly ConfigFile[]): void {
  const path = pathOf(command);
  for (const { option, value } of configured(command, path, files)) {
    const key = option.attributeName();
    if (command.getOptionValueSource(key) === 'cli') continue;
    command.setOptionValueWithSource(key, parsed(option, value), FROM_CONFIG);
  }
}

/** What the files say about all commands; a later file holds. @throws UsageError */
export function allConfigured(program: Command, files: readonly ConfigFile[]): ConfiguredOption[] {
  const found: ConfiguredOption[] = [];
  const known = new Set<string>();
  const visit = (command: Command): void => {
    const path = pathOf(command);
    known.add(path);
    found.push(...configured(command, path, files));
    command.commands.forEach(visit);
  };
  program.commands.forEach(visit);
  for (const { path, content } of files) {
    const unknown = Object.keys(content ?? {}).find((name) => !known.has(name));
    if (unknown !== undefined) throw unknownCommand(path, unknown, [...known]);
  }
  return found;
}

/** The words that lead to a command. */
function pathOf(command: Command): string {
  const names: string[] = [];
  for (let one: Command | null = command; one?.parent; one = one.parent) names.unshift(one.name());
  return names.join(' ');
}

function configured(command: Command, name: string, files: readonly ConfigFile[]): ConfiguredOption[] {
  const found = new Map<string, ConfiguredOption>();
  for (const { path, content } of files) {
    const wrong = Object.keys(content ?? {}).find((key) => !isCommand(key.split(' ')[0]));
    if (wrong !== undefined) throw unknownCommand(path, wrong, []);
    for (const [word, value] of Object.entries(content?.[name] ?? {})) {
      const option = command.options.find(({ long }) => long === `--${word}`);
      if (!option || NEVER.includes(`--${word}`)) throw noSuchOption(command, name, path, word, option !== undefined);
      checkValue(option, value, path);
      found.set(word, { command: name, option, value, path });
    }
  }
  // A switch that a later file sets to false is as if nobody had asked for it.
  return [...found.values()].filter(({ value }) => value !== false);
}

function takesValue(option: Option): boolean {
  return option.required || option.optional;
}

function checkValue(option: Option, value: ConfigValue, path: string): void {
  const isSwitch = typeof value === 'boolean';
  if (isSwitch === !takesValue(option)) return;
  const hint = takesValue(option) ? 'give a text or a number' : 'give true or false';
  throw new UsageError(`${path}: ${option.long} cannot be ${JSON.stringify(value)}`, { subject: option.long, hint });
}

/** As if the words stood on the command line. */
function parsed(option: Option, value: ConfigValue): unknown {
  if (value === true) return true;
  const words = (Array.isArray(value) ? value : [value]).map(String);
  const parse = option.parseArg;
  if (parse === undefined) return words.at(-1);
  return words.reduce<unknown>((before, word) => parse(word, before as string), undefined);
}

function unknownCommand(path: string, name: string, known: readonly string[]): UsageError {
  const hint = didYouMean(name, known) ?? 'the names on top are those of commands, such as capture, list, mirror set';
  return new UsageError(`${path}: there is no command ${name}`, { subject: name, hint });
}

function noSuchOption(command: Command, name: string, path: string, word: string, isKnown: boolean): UsageError {
  if (isKnown) {
    const message = `${path}: --${word} of ${name} has no default: it is said each time`;
    return new UsageError(message, { subject: word, hint: 'remove it there' });
  }
  const words = command.options.flatMap(({ long }) => (long ? [long.slice(2)] : []));
  const hint = didYouMean(word, words) ?? `dpcap ${name} --help lists the options; long names are used, without dashes`;
  return new UsageError(`${path}: ${name} has no option --${word}`, { subject: word, hint });
}
