/** Assembles the commander tree: one file per command in commands/. */
import { createRequire } from 'node:module';
import { Command } from 'commander';
import { z } from 'zod';
import { registerCapture } from './commands/capture.js';
import { registerDoctor } from './commands/doctor.js';
import { registerFilters } from './commands/filters.js';
import { registerForward2kni } from './commands/forward2kni.js';
import { registerList } from './commands/list.js';
import { registerMirror } from './commands/mirror.js';
import { registerRecover } from './commands/recover.js';

/** What a command may hand back besides throwing. */
export interface CommandContext {
  exitCode: number;
}

/** Adds one command to the tree. Each commands/*.ts exports one function of this type. */
export type RegisterCommand = (program: Command, context: CommandContext) => void;

const VERSION = z.object({ version: z.string() }).parse(createRequire(import.meta.url)('../../package.json')).version;

const COMMANDS: RegisterCommand[] = [
  registerCapture,
  registerList,
  registerDoctor,
  registerRecover,
  registerFilters,
  registerForward2kni,
  registerMirror,
];

/** tcpdump's letter for a list of what can be captured from; commander has no commands that begin with a dash. */
export function expandAliases(argv: readonly string[]): string[] {
  return argv[0] === '-D' ? ['list', ...argv.slice(1)] : [...argv];
}

/** The whole command line; commander's own exits become exceptions that main.ts turns into codes. */
export function createProgram(context: CommandContext): Command {
  const program = new Command('dpcap')
    .description('tcpdump for DPDK applications')
    .version(VERSION, '-V, --version')
    .exitOverride()
    .showHelpAfterError('(dpcap --help shows the options)')
    .enablePositionalOptions();
  for (const register of COMMANDS) register(program, context);
  // Whoever asks for help mostly wants the options of the main job.
  const capture = program.commands.find((command) => command.name() === 'capture');
  program.addHelpText('after', () => `\nWithout a command, dpcap captures:\n\n${capture?.helpInformation() ?? ''}`);
  return program;
}
