/** `dpcap completion SHELL` prints a script that completes commands and options, for bash, zsh and fish. */
import type { Command } from 'commander';
import { UsageError } from '../../errors.js';
import { COMMAND_NAMES, type RegisterCommand } from '../command.js';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

export const registerCompletion: RegisterCommand = (program) => {
  program
    .command('completion')
    .description('Print a completion script for a shell: source <(dpcap completion bash).')
    .argument('<shell>', `Shell to complete in: ${SHELLS.join(', ')}.`)
    .action((shell: string) => {
      const known = SHELLS.find((one) => one === shell);
      if (!known) throw new UsageError(`completion: unknown shell ${shell}`, { hint: `use ${SHELLS.join(', ')}` });
      process.stdout.write(completionScript(known, wordsOf(program)));
    });
};

/** What may stand at each place: for "" the commands and the options of a capture, for a command its own words. */
export type Words = ReadonlyMap<string, readonly string[]>;

/** Reads the words from the tree of commands. */
export function wordsOf(program: Command): Words {
  const words = new Map<string, string[]>();
  const optionsOf = (command: Command): string[] =>
    command.options.flatMap(({ short, long }) => [short, long].filter((one) => one !== undefined && one !== null));
  const add = (command: Command, path: string): void => {
    const subcommands = command.commands.map((one) => one.name());
    words.set(path, [...subcommands, ...optionsOf(command)]);
    for (const one of command.commands) add(one, path === '' ? one.name() : `${path} ${one.name()}`);
  };
  for (const command of program.commands) add(command, command.name());
  words.set('', [...COMMAND_NAMES, ...(words.get('capture') ?? []), '--help', '--version']);
  return words;
}

/** The script. Pure. */
export function completionScript(shell: Shell, words: Words): string {
  return { bash: bashScript, zsh: zshScript, fish: fishScript }[shell](words);
}

/** A `case` of both shells: finds out what command was typed, word by word. */
function typedCase(words: Words): string {
  const paths = [...words.keys()].filter((path) => path !== '');
  const lines = paths.map((path) => `      '${path.includes(' ') ? path : ` ${path}`}') typed='${path}' ;;`);
  return ['    case "$typed $word" in', ...lines, '    esac'].join('\n');
}

function bashScript(words: Words): string {
  const cases = [...words].map(([path, all]) => `    '${path}') choices='${all.join(' ')}' ;;`);
  return `_dpcap() {
  local current=\${COMP_WORDS[COMP_CWORD]} typed='' word choices=''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
${typedCase(words)}
  done
  case "$typed" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$choices" -- "$current"))
  [[ $current == -* ]] || COMPREPLY+=($(compgen -f -- "$current"))
}
complete -o filenames -F _dpcap dpcap
`;
}

/**
 * It is sourced, or lies in the fpath: there zsh runs the file in the place of the function that it defines, at the first
 * completion, which has to be answered, too.
 */
function zshScript(words: Words): string {
  const cases = [...words].map(([path, all]) => `    '${path}') choices=(${all.join(' ')}) ;;`);
  return `#compdef dpcap
_dpcap() {
  local typed='' word
  local -a choices
  for word in "\${(@)words[2,CURRENT-1]}"; do
${typedCase(words)}
  done
  case "$typed" in
${cases.join('\n')}
  esac
  compadd -a choices
  [[ \${words[CURRENT]} == -* ]] || _files
}
if [[ "\${funcstack[1]}" == _dpcap ]]; then
  _dpcap "$@"
else
  (( \${+functions[compdef]} )) || { autoload -U compinit && compinit; }
  compdef _dpcap dpcap
fi
`;
}

function fishScript(words: Words): string {
  const lines = [...words].flatMap(([path, all]) => {
    const names = path.split(' ').filter((name) => name !== '');
    const condition =
      names.length === 0
        ? '__fish_use_subcommand'
        : names.map((name) => `__fish_seen_subcommand_from ${name}`).join('; and ');
    return all.map((word) => {
      const flag = word.startsWith('--')
        ? `-l ${word.slice(2)}`
        : word.startsWith('-')
          ? `-s '${word.slice(1)}'`
          : `-a ${word}`;
      return `complete -c dpcap -n '${condition}' ${flag}`;
    });
  });
  return `${lines.join('\n')}\n`;
}
