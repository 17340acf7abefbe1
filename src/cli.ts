/** Assembles the commander tree: one file per command in commands/. */
import { Command } from 'commander';
import { registerFilters } from './commands/filters.js';

/** What a command may hand back besides throwing. */
export interface CommandContext {
  exitCode: number;
}

/** Adds one command to the tree. Each commands/*.ts exports one function of this type. */
export type RegisterCommand = (program: Command, context: CommandContext) => void;

const COMMANDS: RegisterCommand[] = [registerFilters];

/** The whole command line; commander's own exits become exceptions that main.ts turns into codes. */
export function createProgram(context: CommandContext): Command {
  const program = new Command('dpcap')
    .description('tcpdump for DPDK applications')
    .exitOverride()
    .showHelpAfterError('(dpcap --help shows the options)')
    .enablePositionalOptions();
  for (const register of COMMANDS) register(program, context);
  return program;
}
