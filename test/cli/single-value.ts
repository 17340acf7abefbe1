/** What takes one value takes it once; what may be repeated counts each time. */
import type { Command, Option } from 'commander';
import t from 'tap';
import { checkOptions } from '../../src/cli/capture-options.js';
import { createProgram } from '../../src/cli/program.js';
import { parseVlan, vlanText } from '../../src/filter/words/vlan-ids.js';

const REPEATABLE = [
  '--capture-comment',
  ...[
    '--interface',
    '--autostop',
    '--ring-buffer',
    '--expression',
    '--filter',
    '--vlan',
    '--host',
    '--src-host',
    '--dst-host',
  ],
  ...['--net', '--proto', '--port', '--src-port', '--dst-port'],
];

/** Every option with a value of every command, and how to reach it. */
async function valueOptions(): Promise<{ words: string[]; option: Option }[]> {
  const program = await createProgram(['help'], { exitCode: 0, isJson: false });
  const walk = (command: Command, words: string[]): { words: string[]; option: Option }[] => [
    ...command.options.filter(({ required, optional }) => required || optional).map((option) => ({ words, option })),
    ...command.commands.flatMap((one) => walk(one, [...words, one.name()])),
  ];
  return walk(program, []);
}

t.test('every option of every command', async (t) => {
  const all = await valueOptions();
  t.ok(all.length > 60, `${all.length} options`);
  for (const { words, option } of all) {
    const name = (option.long ?? option.short) as string;
    const argv = [...words, name, 'first', name, 'second'];
    const program = await createProgram(argv, { exitCode: 0, isJson: false });
    const command = words.reduce((one, word) => one.commands.find((sub) => sub.name() === word) as Command, program);
    // Only the options are parsed here; nothing is carried out.
    const parse = (): unknown => command.parseOptions([name, 'first', name, 'second']);
    if (REPEATABLE.includes(name)) {
      parse();
      t.same(command.opts()[option.attributeName()], ['first', 'second'], argv.join(' '));
    } else {
      t.throws(
        parse,
        { exitCode: 2, code: 'ERR_USAGE', message: /is given twice: `first` and `second`/ },
        argv.join(' '),
      );
    }
  }
});

t.test('once is fine, also beside a default', async (t) => {
  const program = await createProgram(['capture'], { exitCode: 0, isJson: false });
  const capture = program.commands[0] as Command;
  t.doesNotThrow(() => capture.parseOptions(['--log-level', 'info', '-w', 'x', '-q', '-q']));
  t.match(capture.opts(), { logLevel: 'info', write: 'x', quiet: 2 });
  t.throws(() => capture.parseOptions(['-w', 'y']), /--write is given twice/);
});

t.test('limits', async (t) => {
  t.match(checkOptions({ autostop: ['packets:5', 'duration:2'] }), { packetLimit: 5, durationMs: 2000 });
  t.throws(() => checkOptions({ autostop: ['packets:5', 'packets:6'] }), { message: /-a packets is given twice/ });
});

t.test('--vlan adds up', async (t) => {
  const say = (...texts: string[]): string => vlanText(parseVlan(texts));
  t.equal(say(), 'any');
  t.equal(say('10', '20'), '10,20');
  t.equal(say('20-29,10', '25-31', '11'), '10-11,20-31');
  t.equal(say('0-4095'), '0-4095');
  t.equal(say('none'), 'none');
  t.equal(say('strict', 'strict'), 'strict');
  for (const texts of [['4096'], ['10-'], ['20-10'], [''], ['1,,2'], ['x']]) {
    t.throws(() => parseVlan(texts), { message: /is no VLAN id/, hint: /0 to 4095/ }, texts.join());
  }
  t.throws(() => parseVlan(['nome']), { message: /no VLAN id/, hint: /`none`/ });
  t.throws(() => parseVlan(['none', '5']), { message: /contradict/ });
  t.throws(() => parseVlan(['none,any']), { message: /contradict/ });
});
