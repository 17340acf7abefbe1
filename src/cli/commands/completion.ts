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
      process.stdout.write(completionScript(known, wordsOf(program), valuedOptions(program)));
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

/** The script. Pure. @param valued see valuedOptions() */
export function completionScript(shell: Shell, words: Words, valued: ReadonlySet<string> = new Set()): string {
  return { bash: bashScript, zsh: zshScript, fish: fishScript }[shell](words, valued);
}

/** The options that need a value, each behind the words that lead to its command: "mirror set --pf", " --write". */
export function valuedOptions(program: Command): ReadonlySet<string> {
  const found = new Set<string>();
  const add = (command: Command, path: string): void => {
    for (const { short, long, required } of command.options) {
      for (const word of required ? [short, long] : []) found.add(`${path} ${word}`);
    }
    for (const one of command.commands) add(one, `${path} ${one.name()}`);
  };
  for (const command of program.commands) {
    add(command, command.name());
    if (command.name() === 'capture') add(command, '');
  }
  return found;
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

/** Options of a capture are completed wherever no other command was typed, also behind values of others. */
function fishScript(words: Words, valued: ReadonlySet<string>): string {
  const lines = [...words].flatMap(([path, all]) => {
    const seen = path.split(' ').map((name) => `__fish_seen_subcommand_from ${name}`);
    const ofOptions = path === '' ? `not __fish_seen_subcommand_from ${COMMAND_NAMES.join(' ')}` : seen.join('; and ');
    return all.map((word) => {
      if (!word.startsWith('-')) {
        return `complete -c dpcap -n '${path === '' ? '__fish_use_subcommand' : ofOptions}' -a ${word}`;
      }
      const flag = word.startsWith('--') ? `-l ${word.slice(2)}` : `-s '${word.slice(1)}'`;
      return `complete -c dpcap -n '${ofOptions}' ${flag}${valued.has(`${path} ${word}`) ? ' -r' : ''}`;
    });
  });
  return `${lines.join('\n')}\n`;
}
