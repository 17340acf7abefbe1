import { Command } from 'commander';
import t from 'tap';
import { collect } from '../../../src/cli/filter-options.js';
import { PortScopes } from '../../../src/cli/letters/per-port.js';

/** What these words say for all ports. */
function applied(...words: string[]): { snapshotLength?: string; expression?: string[] } {
  const command = new Command('x')
    .option('-i, --interface <port>', '', collect)
    .option('-s, --snapshot-length <bytes>', '', (value: string) => value)
    .option('-f, --expression <expression>', '', collect);
  const scopes = new PortScopes(command);
  command.parseOptions(words);
  return scopes.applied(command.opts());
}

t.test('before the first -i they are for all, and behind the only one for that', async (t) => {
  t.match(applied('-s', '64', '-i', '0', '-i', '1'), { snapshotLength: '64' });
  t.match(applied('-i', '0', '-s', '64', '-f', 'tcp'), { snapshotLength: '64', expression: ['tcp'] });
  t.match(applied('-s', '64', '-i', '0', '-s', '96'), { snapshotLength: '96' }, 'its own comes first');
  t.match(applied('-f', 'tcp', '-i', '0', '-f', 'port 80'), { expression: ['tcp', 'port 80'] }, 'filters all hold');
  t.match(applied('-s', '64'), { snapshotLength: '64' });
});

t.test('the same for each port is one for all', async (t) => {
  t.match(applied('-i', '0', '-s', '64', '-i', '1', '-s', '64'), { snapshotLength: '64' });
  t.match(applied('-s', '64', '-i', '0', '-s', '64', '-i', '1'), { snapshotLength: '64' });
  const filtered = applied('-f', 'ip', '-i', '0', '-f', 'tcp', '-i', '1', '-f', 'tcp');
  t.same(filtered.expression, ['ip', 'tcp']);
});

t.test('different ones are refused, with what to write', async (t) => {
  const refused: [string[], RegExp][] = [
    [['-i', '0', '-s', '64', '-i', '1'], /-s behind -i .*: 64 for 0, the default for 1/],
    [['-s', '64', '-i', '0', '-i', '1', '-s', '96'], /-s behind -i .*: 64 for 0, 96 for 1/],
    [['-i', '0', '-i', '1', '-f', 'tcp'], /-f behind -i .*: none for 0, tcp for 1/],
  ];
  for (const [words, message] of refused) {
    t.throws(() => applied(...words), { exitCode: 2, message }, words.join(' '));
  }
});

t.test('a second -s in one place is one too many', async (t) => {
  t.throws(() => applied('-s', '64', '-s', '96'), { message: /is given twice: `64` and `96`/ });
  t.throws(() => applied('-i', '0', '-s', '64', '-s', '64'), { message: /is given twice for port 0: `64`/ });
});
