/** The man page has all that the tree of commands has. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import t from 'tap';
import { createProgram } from '../../src/cli/program.js';

const SCRIPT = fileURLToPath(new URL('../../scripts/man.js', import.meta.url));

t.test('every command and option is in it, and what is common to all', async (t) => {
  const page = execFileSync(process.execPath, [SCRIPT], { encoding: 'utf8' }).replaceAll('\\-', '-');
  const sections = new Map(page.split('.SS ').map((text) => [text.slice(0, text.search(/ \[|\n/)), text]));
  const look = (command: Command, path: string): void => {
    const section = sections.get(path);
    t.ok(section, path);
    for (const { flags } of command.options) t.ok(section?.includes(`\n.B ${flags}\n`), `${path}: ${flags}`);
    for (const one of command.commands) look(one, `${path} ${one.name()}`);
  };
  const program = await createProgram(['--help'], { exitCode: 0, isJson: false });
  for (const command of program.commands) look(command, `dpcap ${command.name()}`);
  for (const flags of ['-V, --version', '-h, --help', 'SIGUSR1', 'SIGUSR2'])
    t.ok(page.includes(`\n.B ${flags}\n`), flags);
});
