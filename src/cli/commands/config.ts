/** `dpcap config` shows the defaults that configuration files give to options, and where each comes from. */
import type { Command } from 'commander';
import { type ConfigFile, readConfig } from '../../config/files.js';
import { printable } from '../../text/printable.js';
import { alignRows } from '../../text/table.js';
import type { RegisterCommand } from '../command.js';
import { allConfigured, type ConfiguredOption } from '../config-defaults.js';

export const registerConfig: RegisterCommand = (program) => {
  program
    .command('config')
    .description('Show the defaults from configuration files, and where each comes from.')
    .option('--json', 'Print one JSON document.')
    .action(({ json }: { json?: boolean }) => {
      process.stdout.write(`${configText(program, readConfig(), json === true)}\n`);
    });
};

/** @throws UsageError for what is wrong in a file */
function configText(program: Command, files: readonly ConfigFile[], isJson: boolean): string {
  const options = allConfigured(program, files);
  return isJson ? JSON.stringify(toJson(files, options)) : toText(files, options);
}

function toText(files: readonly ConfigFile[], options: readonly ConfiguredOption[]): string {
  const places = files.map(({ path, content, fault }) => {
    if (fault !== undefined) return `${path}: not used, because ${fault}`;
    return `${path}: ${content ? 'read' : 'there is none'}`;
  });
  const rows = options.map(({ command, option, value, path }) => [
    command,
    option.long ?? '',
    typeof value === 'object' ? value.join(', ') : String(value),
    path,
  ]);
  const table = rows.length === 0 ? ['no option has another default'] : alignRows([TABLE_HEAD, ...rows]);
  return [...places, '', ...table].map(printable).join('\n');
}

const TABLE_HEAD = ['COMMAND', 'OPTION', 'DEFAULT', 'FROM'];

function toJson(files: readonly ConfigFile[], options: readonly ConfiguredOption[]): unknown {
  return {
    files: files.map(({ path, content, fault }) => ({
      path,
      read: content !== undefined,
      ...(fault ? { fault } : {}),
    })),
    defaults: options.map(({ command, option, value, path }) => ({ command, option: option.long, value, from: path })),
  };
}
