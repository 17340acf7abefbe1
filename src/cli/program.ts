/** Assembles the commander tree: one file for each command in commands/. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command } from 'commander';
import * as z from 'zod/mini';
import { type ConfigFile, readConfig } from '../config/files.js';
import { LIBRARIES_FOLDER } from '../primary/joining/libraries.js';
import { diagnostics } from '../system/diagnostics.js';
import { projectFile } from '../system/location.js';
import { COMMAND_NAMES, type CommandContext, type CommandName, isCommand, type RegisterCommand } from './command.js';
import { applyConfig } from './config-defaults.js';
import { refuseRepeatedValues } from './single-value.js';

const VERSION = z
  .object({ version: z.string() })
  .parse(JSON.parse(readFileSync(projectFile('package.json'), 'utf8'))).version;

/** Each command is loaded only when it is wanted: loading all of them takes as long as node takes to start. */
const COMMANDS: Record<CommandName, () => Promise<RegisterCommand>> = {
  capture: async () => (await import('./commands/capture.js')).registerCapture,
  list: async () => (await import('./commands/list.js')).registerList,
  doctor: async () => (await import('./commands/doctor.js')).registerDoctor,
  recover: async () => (await import('./commands/recover.js')).registerRecover,
  pdump: async () => (await import('./commands/pdump.js')).registerPdump,
  filters: async () => (await import('./commands/filters.js')).registerFilters,
  forward2kni: async () => (await import('./commands/forward2kni.js')).registerForward2kni,
  mirror: async () => (await import('./commands/mirror/index.js')).registerMirror,
  agent: async () => (await import('./commands/agent.js')).registerAgent,
  recorder: async () => (await import('./commands/recorder/index.js')).registerRecorder,
  config: async () => (await import('./commands/config.js')).registerConfig,
  completion: async () => (await import('./commands/completion.js')).registerCompletion,
};

/** The commands that a command line may lead to. Help shows all of them; a line that names none is a capture. */
function wanted(argv: readonly string[]): readonly CommandName[] {
  const [first] = argv;
  if (first === 'help' || argv.includes('--help') || argv.includes('-h')) return COMMAND_NAMES;
  if (first === 'completion' || first === 'config') return COMMAND_NAMES; // they speak of all of them
  return isCommand(first) ? [first] : ['capture'];
}

/**
 * Expands `-D`, tcpdump's letter for a list of what can be captured from: commander has no commands that begin with a
 * dash.
 */
export function expandAliases(argv: readonly string[]): string[] {
  return argv[0] === '-D' ? ['list', '--numbers', ...argv.slice(1)] : [...argv];
}

/** A file that is there, and not used, is named: its user expects it to hold. */
function unusedText(files: readonly ConfigFile[]): string {
  const unused = files.filter(({ fault }) => fault !== undefined);
  return unused.map(({ path, fault }) => `dpcap: note: ${path} is not used: ${fault}\n`).join('');
}

/**
 * Builds as much of the command tree as `argv` (with its aliases expanded) needs. Commander's own exits become
 * exceptions, which main.ts turns into exit codes.
 */
export async function createProgram(argv: readonly string[], context: CommandContext): Promise<Command> {
  const program = new Command('dpcap')
    .description('Capture packets of DPDK applications: tcpdump for DPDK.')
    .version(VERSION, '-V, --version', 'Print the version of dpcap.')
    .helpOption('-h, --help', 'Print this help.')
    .exitOverride()
    .configureOutput({ writeErr: (text) => diagnostics.write(text) })
    .showHelpAfterError('(dpcap --help shows the options)')
    .enablePositionalOptions();
  for (const name of wanted(argv)) (await COMMANDS[name]())(program, context);
  refuseRepeatedValues(program);
  program.hook('preAction', (_, action) => {
    const files = action.name() === 'config' ? [] : readConfig(); // that command shows them, also where they are wrong
    applyConfig(action, files);
    const { json, stats, dpdkLibs } = action.opts();
    if (dpdkLibs !== undefined) process.env[LIBRARIES_FOLDER] = resolve(dpdkLibs);
    context.isJson = json === true || stats === 'ndjson';
    if (!context.isJson) diagnostics.write(unusedText(files));
  });
  // A user who asks for help mostly wants the options of the main command, capture.
  const capture = program.commands.find((command) => command.name() === 'capture');
  program.addHelpText('after', () => `\nWithout a command, dpcap captures:\n\n${capture?.helpInformation() ?? ''}`);
  return program;
}
