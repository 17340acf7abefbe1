/** The interface between a command and the program that it is a part of. */
import type { Command } from 'commander';

/** The results that a command may hand back, besides throwing. */
export interface CommandContext {
  exitCode: number;
  /** The command's output is for programs, so its errors are JSON objects, too. Known once its options are parsed. */
  isJson: boolean;
}

/** Adds one command to the tree. Each commands/*.ts exports one function of this type. */
export type RegisterCommand = (program: Command, context: CommandContext) => void;

/** The commands, in the order in which help lists them. */
export const COMMAND_NAMES = [
  'capture',
  'list',
  'doctor',
  'recover',
  'pdump',
  'filters',
  'forward2kni',
  'mirror',
  'agent',
  'recorder',
  'config',
  'completion',
] as const;
export type CommandName = (typeof COMMAND_NAMES)[number];

/** Whether a word is a command's name. */
export function isCommand(word: string | undefined): word is CommandName {
  return COMMAND_NAMES.some((name) => name === word);
}
