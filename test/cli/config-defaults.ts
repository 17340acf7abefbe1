import { Command } from 'commander';
import t from 'tap';
import { allConfigured, applyConfig } from '../../src/cli/config-defaults.js';
import { createProgram } from '../../src/cli/program.js';
import type { ConfigContent, ConfigFile } from '../../src/config/files.js';

/** A capture command with an option of each kind, after these words. */
function capture(words: string[]): Command {
  const command = new Command('capture')
    .option('-F, --format <format>')
    .option('-c, --count <n>')
    .option('-i, --interface <port>', 'repeatable', (word: string, before: string[] = []) => [...before, word])
    .option('--quiet')
    .option('--yes');
  new Command('dpcap').addCommand(command);
  return command.parse(words, { from: 'user' });
}

const file = (path: string, content: ConfigContent): ConfigFile => ({ path, content });
const under = (...contents: ConfigContent[]): ConfigFile[] => contents.map((one, at) => file(`/${at}.json`, one));

t.test('values hold where the command line is silent, and a later file before an earlier one', async (t) => {
  const command = capture(['-c', '5']);
  const machine = { capture: { format: 'pcap', count: 10, interface: [0, 'net1'], quiet: true } };
  applyConfig(command, under(machine, { capture: { format: 'pcapng' } }));
  t.same(command.opts(), { count: '5', format: 'pcapng', interface: ['0', 'net1'], quiet: true });
  t.equal(command.getOptionValueSource('format'), 'config');
});

t.test('a switch that is switched off later is as if nobody had asked for it', async (t) => {
  const command = capture([]);
  applyConfig(command, under({ capture: { quiet: true } }, { capture: { quiet: false } }));
  t.same(command.opts(), {});
});

t.test('what is wrong is refused with the file and the word', async (t) => {
  const wrong: [ConfigContent, RegExp, RegExp][] = [
    [{ captur: {} }, /^\/0\.json: there is no command captur$/, /./],
    [{ capture: { fromat: 'pcap' } }, /^\/0\.json: capture has no option --fromat$/, /did you mean `format`/],
    [{ capture: { quiet: 'yes' } }, /--quiet cannot be "yes"/, /true or false/],
    [{ capture: { format: true } }, /--format cannot be true/, /a text or a number/],
    [{ capture: { yes: true } }, /--yes of capture has no default/, /remove it/],
  ];
  for (const [content, message, hint] of wrong) {
    t.throws(() => applyConfig(capture([]), under(content)), { message, hint, exitCode: 2 });
  }
});

t.test('every command of the tree can have defaults, and what names none is refused', async (t) => {
  const program = await createProgram(['config'], { exitCode: 0, isJson: false });
  const content = { capture: { format: 'pcapng' }, 'mirror list': { json: true } };
  const told = allConfigured(program, under(content)).map(({ command, option, value }) => [
    command,
    option.long,
    value,
  ]);
  t.same(told, [
    ['capture', '--format', 'pcapng'],
    ['mirror list', '--json', true],
  ]);
  t.throws(() => allConfigured(program, under({ 'mirror lst': {} })), {
    message: /no command mirror lst/,
    hint: /did you mean `mirror list`/,
  });
});
