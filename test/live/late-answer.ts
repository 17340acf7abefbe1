/** An answer of the primary that comes too late says nothing about the request after it. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { leftovers, requirements, runDpcap, startCapture, startDpvsPrimary } from '../harness/index.js';

const skip = requirements({ tools: ['cmake'] });
/** Longer than a request to disable is waited for, shorter than all of them together. */
const LATE_MS = 1500;
const DISABLE = 1;
const ASKING_ENGINE = fileURLToPath(new URL('../harness/asking-engine.js', import.meta.url));

t.test('a late answer does not confirm that the next queue is off', { skip }, async (t) => {
  const primary = await startDpvsPrimary({ layout: 112, vdevs: ['net_null0'], lateMs: LATE_MS });
  t.teardown(() => primary.stop());
  const running = startCapture(primary, ['-i', '0', '-w', '/dev/null']);
  await running.written(1);
  const captured = await running.stop();
  t.match(captured, { code: 1 }, captured.messages);
  t.match(captured.messages, /left in the primary.*net_null0 queue 0 tx: the primary does not say whether it is off/);
  t.notMatch(captured.messages, 'queue 0 rx: the primary', 'the first one is known to be off');
  const answers = primary.requests().filter(({ op }) => op === DISABLE);
  t.match(answers[0], { result: 0 });
  t.ok(
    answers.some(({ result }) => result < 0),
    'the other was refused',
  );

  const refused = await runDpcap(['recover', '--file-prefix', primary.prefix]);
  t.match(refused, { code: 1, stdout: /queue 0 tx/ }, 'nothing of it is freed as long as it is on');
  primary.process.write('\n');
  const cleared = await runDpcap(['recover', '--file-prefix', primary.prefix]);
  t.match(cleared, { code: 0, stdout: /cleared a capture of pid \d+, 1 queues still enabled/ });
  t.match(await primary.stop(), { code: 0 });
  t.same(leftovers(), []);
});

t.test('nor that this queue is off, when it is the answer to a question', { skip }, async (t) => {
  const primary = await startDpvsPrimary({ layout: 112, vdevs: ['net_null0'], lateMs: LATE_MS / 3 });
  t.teardown(() => primary.stop());
  const pid = String(primary.process.pid);
  const engine = fork(ASKING_ENGINE, [primary.prefix, pid], { execArgv: ['--random-seed=1'] });
  t.teardown(() => engine.kill('SIGKILL'));
  const [said] = await once(engine, 'message');
  t.match(
    said,
    { answered: false, unknown: [/net_null0 queue 0 tx/], freed: false },
    'the primary refused to switch it off',
  );
  t.same(await once(engine, 'exit'), [0, null]);

  primary.process.write('\n');
  const cleared = await runDpcap(['recover', '--file-prefix', primary.prefix]);
  t.match(cleared, { code: 0, stdout: /cleared a capture of pid \d+, 1 queues still enabled/ });
  t.match(await primary.stop(), { code: 0 });
  t.same(leftovers(), []);
});
