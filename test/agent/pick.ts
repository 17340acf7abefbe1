import t from 'tap';
import type { AgentAt } from '../../src/agent/find.js';
import { mainProcess } from '../../src/agent/pick.js';

const one = (pid: number, isPrimary: boolean) => ({
  agent: { pid, filePrefix: 'rte', process: { program: `app${pid}` } as AgentAt['process'] },
  hello: { isPrimary },
});

t.test('the primary among the processes of an application', async (t) => {
  t.match(mainProcess([one(7, false), one(8, true)]), { agent: { pid: 8 } });
  t.equal(mainProcess([one(7, false)]), undefined);
});

t.test('two applications that share a file prefix are not captured as one', async (t) => {
  t.throws(() => mainProcess([one(7, true), one(8, true), one(9, false)]), {
    code: 'ERR_PRIMARY_AMBIGUOUS',
    message: /app7 \(pid 7\) and app8 \(pid 8\)/,
    hint: /--file-prefix/,
  });
});
