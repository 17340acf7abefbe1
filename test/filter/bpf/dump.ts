/** -d, -dd and -ddd against tcpdump's own. */
import { spawnSync } from 'node:child_process';
import t from 'tap';
import { answerTo } from '../../../src/cli/letters/answers.js';
import { dumpClassic } from '../../../src/filter/bpf/dump.js';
import { isOnPath } from '../../../src/supervisor/printing/programs.js';
import { EXPRESSIONS } from '../../helpers/expressions.js';
import { binding } from '../../helpers/native.js';

const skip = isOnPath('tcpdump') ? false : 'tcpdump is not installed';

/** What tcpdump prints. */
function theirs(...words: string[]): string {
  const { status, stdout, stderr } = spawnSync('tcpdump', ['-y', 'EN10MB', ...words], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`tcpdump ${words.join(' ')}: ${stderr}`);
  return stdout;
}

t.test('all three forms, for many expressions', { skip }, async (t) => {
  const native = binding();
  for (const text of EXPRESSIONS) {
    const program = native.compileFilter(text);
    for (const level of [1, 2, 3]) {
      t.equal(dumpClassic(program, level), theirs(`-${'d'.repeat(level)}`, '--', text), `${text}, ${level}`);
    }
  }
});

t.test('with what changes the program', { skip }, async (t) => {
  t.equal(answerTo(['tcp', 'port', '80'], { d: 1 }, 96), theirs('-d', '-s', '96', 'tcp', 'port', '80'));
  t.equal(answerTo([], { d: 3 }, 262144), theirs('-ddd'), 'no expression');
  t.equal(
    answerTo(['ip[0] & 0xf > 5 and icmp'], { d: 4, optimize: false }, 262144),
    theirs('-O', '-dddd', 'ip[0] & 0xf > 5 and icmp'),
  );
  t.equal(answerTo(['tcp'], { d: 1, expression: ['port 80'] }, 262144), theirs('-d', '(tcp) and (port 80)'));
  t.match(answerTo([], { d: 1, filter: ['dns'] }, 262144), /#0x35 /, 'a named filter is an expression, too');
});

t.test('mistakes, and what classic BPF cannot say', async (t) => {
  t.throws(() => answerTo(['tcp prot 80'], { d: 1 }, 64), { exitCode: 2, code: 'ERR_FILTER_SYNTAX' });
  t.throws(() => answerTo([], { d: 1, srcHost: ['10.0.0.1'] }, 64), {
    exitCode: 2,
    message: /--src-host/,
    hint: /--explain/,
  });
});

t.test('-L and -J', async (t) => {
  t.equal(answerTo([], { listDataLinkTypes: 1, interface: ['0'] }, 64).split('\n')[1], '  EN10MB (Ethernet)');
  t.match(answerTo([], { listTimeStampTypes: 1 }, 64), /^Time stamp types for any .*\n {2}primary \(.*\)\n {2}host \(/);
});
