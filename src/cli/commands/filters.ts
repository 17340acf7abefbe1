/** `dpcap filters` lists the names that `--filter NAME` accepts, and explains what each means. */
import type { Command } from 'commander';
import { findFilter, listFilters, type NamedFilter } from '../../filter/text/named-filters.js';
import type { RegisterCommand } from '../command.js';

const summary = ({ description }: NamedFilter): string => description.split('\n')[0] ?? '';

function list(json: boolean): void {
  const filters = listFilters();
  if (json) {
    process.stdout.write(filters.map((filter) => `${JSON.stringify(filter)}\n`).join(''));
    return;
  }
  const width = Math.max(0, ...filters.map(({ name }) => name.length));
  process.stdout.write(filters.map((filter) => `${filter.name.padEnd(width)}  ${summary(filter)}\n`).join(''));
}

function show(name: string, json: boolean): void {
  const filter = findFilter(name);
  if (json) {
    process.stdout.write(`${JSON.stringify(filter)}\n`);
    return;
  }
  process.stdout.write(`${filter.description}\n\n${filter.expression}\n\n(${filter.path})\n`);
}

export const registerFilters: RegisterCommand = (program) => {
  const filters = program
    .command('filters')
    .description('List the named filters for --filter.')
    .option('--json', 'Print one JSON object a line.')
    .action((options: { json?: boolean }) => list(options.json === true));
  filters
    .command('show <name>')
    .description('Explain a named filter.')
    .option('--json', 'Print a JSON object.')
    // --json may stand before `show` too, where commander gives it to the parent.
    .action((name: string, _: unknown, command: Command) => show(name, command.optsWithGlobals().json === true));
};
