import { Command } from 'commander';
import t from 'tap';
import { collect } from '../../../src/cli/filter-options.js';
import { PortScopes, type PortWords } from '../../../src/cli/letters/per-port.js';

interface Applied {
  common: { snapshotLength?: string; expression?: string[] };
  own: PortWords[] | undefined;
}

/** What these words say for all ports, and for each. */
function scoped(words: string[], snapshotLength?: string): Applied {
  const command = new Command('x')
    .option('-i, --interface <port>', '', collect)
    .option('-s, --snapshot-length <bytes>', '', (value: string) => value)
    .option('-f, --expression <expression>', '', collect);
  const scopes = new PortScopes(command);
  if (snapshotLength) command.setOptionValueWithSource('snapshotLength', snapshotLength, 'config');
  command.parseOptions(words);
  return scopes.applied(command.opts());
}

/** What they say for all ports, where none has anything of its own. */
function applied(...words: string[]): Applied['common'] {
  const { common, own } = scoped(words);
  if (own) throw new Error('ports have something of their own');
  return common;
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

t.test('where they differ, each port has its own beside what is for all', async (t) => {
  const own = (...words: string[]): unknown => scoped(words).own;
  t.same(own('-i', '0', '-s', '64', '-i', '1'), [
    { port: '0', snapshotLength: '64', expression: [] },
    { port: '1', snapshotLength: undefined, expression: [] },
  ]);
  t.same(own('-s', '64', '-f', 'ip', '-i', '0', '-i', '1', '-s', '96', '-f', 'tcp'), [
    { port: '0', snapshotLength: '64', expression: [] },
    { port: '1', snapshotLength: '96', expression: ['tcp'] },
  ]);
  const { common } = scoped(['-s', '64', '-f', 'ip', '-i', '0', '-i', '1', '-s', '96', '-f', 'tcp']);
  t.match(common, { snapshotLength: '64', expression: ['ip'] });
  t.equal(scoped(['-i', '0', '-i', '1', '-f', 'tcp']).common.expression, undefined);
  const configured = scoped(['-i', '0', '-f', 'tcp', '-i', '1'], '128');
  t.strictSame(
    [configured.common, configured.own?.[1]?.snapshotLength],
    [{ ...configured.common, snapshotLength: '128' }, '128'],
  );
});

t.test('any is all ports, so that another one has nothing of its own', async (t) => {
  t.match(applied('-i', 'any', '-s', '64'), { snapshotLength: '64' });
  const message = /-i any is all ports/;
  t.throws(() => applied('-i', 'any', '-s', '64', '-i', '0'), { exitCode: 2, message });
});

t.test('a second -s in one place is one too many', async (t) => {
  t.throws(() => applied('-s', '64', '-s', '96'), { message: /is given twice: `64` and `96`/ });
  t.throws(() => applied('-i', '0', '-s', '64', '-s', '64'), { message: /is given twice for port 0: `64`/ });
});
