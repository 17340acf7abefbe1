import { spawnSync } from 'node:child_process';
import t from 'tap';
import { COMMAND_NAMES } from '../../../src/cli/command.js';
import { completionScript, valuedOptions, wordsOf } from '../../../src/cli/commands/completion.js';
import { createProgram } from '../../../src/cli/program.js';

const program = await createProgram(['--help'], { exitCode: 0, isJson: false });
const words = wordsOf(program);
const fish = completionScript('fish', words, valuedOptions(program));

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
  t.same(completed('dpcap --abs'), ['--absolute-tcp-sequence-numbers']);
  t.ok(completed('dpcap -').includes('-#'));
  t.same(completed('dpcap list --al'), ['--all']);
  t.same(completed('dpcap mirror se'), ['set']);
  t.ok(completed('dpcap mirror set --until').includes('--until-exit'));
  t.ok(completed('dpcap filters sho').includes('show'));
  t.ok(completed('dpcap -w /us').includes('/usr'), 'and files');
});

/**
 * What stands on the command line of an interactive zsh after a tabulator: a key of its own prints it. `load` makes zsh
 * know the completion.
 */
function zshLine(line: string, load: string): string {
  const script = `zmodload zsh/zpty; zpty shell zsh -f -i
    zpty -w shell ${quoted(`print_line() { print -r -- "line<$BUFFER>" }; zle -N print_line; bindkey '^X' print_line; ${load}`)}
    zpty -w -n shell ${quoted(line)}$'\\t\\C-x'
    zpty -r shell output "*line<[^\\$]*>*"; print -r -- "$output"`;
  const { stdout, stderr, error } = spawnSync('zsh', ['-f', '-c', script], {
    encoding: 'utf8',
    timeout: 20_000,
    cwd: '/',
  });
  return /line<([^$]*?)>/.exec(stdout)?.[1] ?? `${error} ${stdout} ${stderr}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

const noZsh = spawnSync('zsh', ['--version']).error ? 'zsh is not installed' : false;
t.test('zsh completes the same, sourced or from its fpath', { skip: noZsh }, async (t) => {
  const dir = t.testdir({ _dpcap: completionScript('zsh', words) });
  const ways = {
    sourced: `source ${dir}/_dpcap`,
    'after compinit': `autoload -U compinit; compinit -D -u; source ${dir}/_dpcap`,
    'from its fpath': `fpath=(${dir} $fpath); autoload -U compinit; compinit -D -u`,
  };
  for (const [way, load] of Object.entries(ways)) {
    t.equal(zshLine('dpcap do', load), 'dpcap doctor ', way);
    t.equal(zshLine('dpcap list --al', load), 'dpcap list --all ', way);
    t.equal(zshLine('dpcap mirror set --until', load), 'dpcap mirror set --until-exit ', way);
    t.equal(zshLine('dpcap -w /us', load), 'dpcap -w /usr/', way);
  }
});

t.test('the other shells get all words, too', async (t) => {
  t.match(completionScript('zsh', words), /^#compdef dpcap\n/, 'by which compinit knows the file');
  const none = `not __fish_seen_subcommand_from ${COMMAND_NAMES.join(' ')}`;
  t.ok(fish.includes("-n '__fish_use_subcommand' -a doctor\n"));
  t.ok(fish.includes(`-n '${none}' -s '#'\n`), 'which would begin a comment');
  t.ok(fish.includes(`-n '${none}' -l write -r\n`), 'also behind -i 0, whose value is no command');
  t.ok(fish.includes("-n '__fish_seen_subcommand_from mirror; and __fish_seen_subcommand_from set' -l until-exit\n"));
  t.ok(fish.includes("-n '__fish_seen_subcommand_from mirror; and __fish_seen_subcommand_from set' -l pf -r\n"));
});

const noFish = spawnSync('fish', ['--version']).error ? 'fish is not installed' : false;
t.test('fish completes options behind others', { skip: noFish }, async (t) => {
  const completed = (line: string): string =>
    spawnSync('fish', ['-c', `${fish}\ncomplete -C '${line}'`], { encoding: 'utf8', cwd: '/' }).stdout;
  t.match(completed('dpcap do'), /^doctor\n$/);
  t.match(completed('dpcap -i 0 --wri'), /^--write\n$/);
  t.match(completed('dpcap mirror set --until'), /^--until-exit\n$/);
});
