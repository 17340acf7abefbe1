import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import t from 'tap';
import { insteadOf } from '../../../src/cli/letters/instead.js';
import { inOwnWords, isAnswered } from '../../../src/cli/letters/meanings.js';
import { addLetters, attributeOf, displayFrom, type RawLetters } from '../../../src/cli/letters/options.js';
import { LETTERS } from '../../../src/cli/letters/table.js';
import { projectFile } from '../../../src/system/location.js';

/** What a command that has the letters alone makes of these words. */
function given(...words: string[]): RawLetters {
  const command = new Command('x').exitOverride();
  addLetters(command);
  command.parseOptions(words);
  return command.opts();
}

const display = (...words: string[]): unknown => displayFrom(given(...words), false);

t.test('letters that change what is printed are passed on, as often as they were given', async (t) => {
  t.same(display(), { letters: {}, values: {}, names: [], nano: false });
  t.match(display('-tttt', '-e', '-xx'), { letters: { t: 4, e: 1, x: 2 } });
  t.match(display('-nnvvSK#', '-t', '-q'), { letters: { v: 2, S: 1, K: 1, '#': 1, t: 1, q: 1 } });
  t.match(display('-t', '-n', '-t'), { letters: { t: 2 } }, 'also apart');
  t.match(display('--number', '--absolute-tcp-sequence-numbers'), { letters: { '#': 1, S: 1 } }, 'also by long names');
  t.match(display('-T', 'vxlan', '--lengths'), { values: { T: 'vxlan' }, names: ['lengths'] });
  t.throws(() => display('-tttttt'), { exitCode: 2, message: /-tttttt/, hint: /-t to -ttttt/ });
});

t.test('what is always so is accepted, and not passed on', async (t) => {
  t.same(display('-l', '-n', '-nn', '-N', '-p', '--no-promiscuous-mode', '--immediate-mode'), display());
});

t.test('every letter of the table is an option, by itself and among others', async (t) => {
  for (const letter of LETTERS) {
    const short = /^-\S/.exec(letter.flags)?.[0].replace(',', '');
    const value = letter.flags.includes('<') ? ['x'] : [];
    for (const word of letter.flags.split(/[ ,]+/).filter((one) => one.startsWith('-'))) {
      t.not(given(word, ...value)[attributeOf(letter)], given()[attributeOf(letter)], word);
    }
    if (short && value.length === 0) t.ok(given(`-n${short.slice(1)}l`), `-n${short.slice(1)}l`);
  }
});

t.test('other words for options of ours', async (t) => {
  t.match(inOwnWords({ nano: 1 }), { timePrecision: 'nano' });
  t.match(inOwnWords({ timeStampPrecision: 'micro', timePrecision: 'micro' }), { timePrecision: 'micro' });
  t.throws(() => inOwnWords({ nano: 1, micro: 1 }), { exitCode: 2, message: /nano and micro/ });
  t.same(inOwnWords({ linktype: 'en10mb' }), { linktype: 'en10mb' });
  t.throws(() => inOwnWords({ linktype: 'IEEE802_11' }), { exitCode: 2, message: /-y IEEE802_11/ });
});

t.test('-F is a format or a file with an expression', async (t) => {
  const dir = t.testdir({ filter: '# web\ntcp port 80 # or\n  or tcp port 443\n', pcap: 'udp' });
  t.match(inOwnWords({ format: 'pcapng' }), { format: 'pcapng' });
  const { format, expression } = inOwnWords<{ format?: string; expression?: string[] }>({
    format: `${dir}/filter`,
    expression: ['ip'],
  });
  t.same({ format, expression }, { format: undefined, expression: ['ip', 'tcp port 80 or tcp port 443'] });
  t.match(inOwnWords({ format: `${dir}/pcap` }), { expression: ['udp'] }, 'a file may have the name of a format');
  t.throws(() => inOwnWords({ format: `${dir}/none` }), { exitCode: 2, message: /no format/, errno: 'ENOENT' });
  t.throws(() => inOwnWords({ format: dir }), { exitCode: 2, message: /no format/, errno: 'EISDIR' });
  t.throws(() => inOwnWords({ format: `${t.testdir({ long: 'x'.repeat(1 << 21) })}/long` }), { message: /too long/ });
});

t.test('what is answered without a capture', async (t) => {
  for (const word of ['-d', '-ddd', '-D', '-L', '-J']) t.ok(isAnswered(given(word)), word);
  t.notOk(isAnswered(given('-nve', '-O', '--print')));
});

t.test('unknown letters get what to write instead', async (t) => {
  t.match(insteadOf("error: unknown option '-I'"), /no monitor mode/);
  t.match(insteadOf("error: unknown option '-Ie'"), /no monitor mode/, 'among others');
  t.match(insteadOf("error: unknown option '--monitor-mode'"), /no monitor mode/);
  for (const option of ['--ifdescr', '--temp-dir', '--print-sampling']) {
    t.match(insteadOf(`error: unknown option '${option}'`), /./, option);
    t.match(insteadOf(`error: unknown option '${option}=5'`), /./, option);
  }
  t.equal(insteadOf("error: unknown option '--nonesuch'"), undefined);
  t.equal(insteadOf("error: option '-w' argument missing"), undefined);
});

t.test('every letter of the table is in the manual', async (t) => {
  const manual = readFileSync(projectFile('docs/tcpdump-letters.md'), 'utf8');
  for (const { flags } of LETTERS) {
    const [name = ''] = /^--?[^\s,]+/.exec(flags) ?? [];
    t.ok(new RegExp(`[\\s\`]${name}[\\s\`]`).test(manual), name);
  }
});
