import { spawnSync } from 'node:child_process';
import t from 'tap';
import { completionScript, wordsOf } from '../../../src/cli/commands/completion.js';
import { createProgram } from '../../../src/cli/program.js';

const words = wordsOf(await createProgram(['--help'], { exitCode: 0, isJson: false }));

/** What bash completes at the end of this line. */
function completed(line: string): string[] {
  const typed = line.split(' ');
  const script = `${completionScript('bash', words)}
    COMP_WORDS=(${typed.map((word) => `'${word}'`).join(' ')}) COMP_CWORD=${typed.length - 1}
    _dpcap; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync('bash', ['-c', script], { encoding: 'utf8', cwd: '/' });
  t.equal(stderr, '');
  return stdout.trim().split('\n');
}

t.test('bash completes commands, their own commands, and options', async (t) => {
  t.same(completed('dpcap do'), ['doctor']);
  t.ok(completed('dpcap --file').includes('--file-prefix'));
  t.same(completed('dpcap list --al'), ['--all']);
  t.same(completed('dpcap mirror se'), ['set']);
  t.ok(completed('dpcap mirror set --until').includes('--until-exit'));
  t.ok(completed('dpcap filters sho').includes('show'));
  t.ok(completed('dpcap -w /us').includes('/usr'), 'and files');
});

t.test('the other shells get all words, too', async (t) => {
  t.match(completionScript('zsh', words), /^autoload -U \+X bashcompinit/);
  const fish = completionScript('fish', words);
  t.match(fish, /-n '__fish_use_subcommand' -a doctor/);
  t.match(fish, /-n '__fish_seen_subcommand_from mirror; and __fish_seen_subcommand_from set' -l until-exit/);
});
