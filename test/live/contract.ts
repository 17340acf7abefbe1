/** The addon keeps the promises that the tests' stand-in for it keeps (test/engine/contract.ts). */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { CONTRACT } from '../engine/helpers/capture-contract.js';
import { isUnharmed, remember, requirements, startTestpmd } from '../harness/index.js';

const skip = requirements({ hugepagesMb: 256 });
const ENGINE = fileURLToPath(new URL('../harness/contract-engine.js', import.meta.url));

t.test('the addon', { skip }, async (t) => {
  const testpmd = await startTestpmd({ vdevs: ['net_null0', 'net_null1'] });
  t.teardown(() => testpmd.stop());
  await testpmd.command('start');
  const before = await remember(testpmd);
  const engine = fork(ENGINE, [testpmd.prefix, String(testpmd.pid)], { execArgv: ['--random-seed=1'] });
  t.teardown(() => engine.kill('SIGKILL'));
  const kept: string[] = [];
  engine.on('message', ({ promise, problem }: { promise: string; problem: string | undefined }) => {
    t.equal(problem, undefined, promise);
    kept.push(promise);
  });
  t.same(await once(engine, 'exit'), [0, null]);
  t.same(kept, Object.keys(CONTRACT));
  await isUnharmed(t, testpmd, before, 'after all of them');
});
