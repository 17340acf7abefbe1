/** An engine that is given up, or meets memory that it cannot read, leaves none of the primary's locks held. */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { projectFile } from '../../src/system/location.js';
import { endOf, smallPrimary, startShort } from '../harness/beside.js';
import { faultAt } from '../harness/fault.js';
import {
  type Before,
  isForwarding,
  isUnharmed,
  LiveCapture,
  remember,
  requirements,
  run,
  runDpcap,
  start,
  startTestpmd,
  type Testpmd,
} from '../harness/index.js';
import { answers } from '../harness/primary-answers.js';
import { locksAreFree } from '../harness/secondary.js';

const skip = requirements({ hugepagesMb: 512 });

/** A capture of the default size into a pipe that nobody reads, so that its end waits for the reader before it frees. */
function startUnread(testpmd: Testpmd, fifo: string, env: NodeJS.ProcessEnv): LiveCapture {
  // Open for reading as well, the pipe has a reader, and is full soon.
  const behindFifo = ['-c', 'exec "$@" 1<>"$0"', fifo, process.execPath, projectFile('bin/dpcap.cjs')];
  const words = ['--stats', 'ndjson', '--stats-interval', '0.1', '--file-prefix', testpmd.prefix, '-w', '-'];
  return new LiveCapture(start('bash', [...behindFifo, ...words], { env }));
}

async function isUnharmedBy(t: Test, testpmd: Testpmd, before: Before, what: string): Promise<void> {
  await answers(t, testpmd, what);
  await locksAreFree(t, testpmd, what);
  const recovered = await runDpcap(['recover', '--file-prefix', testpmd.prefix]);
  t.equal(recovered.code, 0, `${what}: ${recovered.stdout}${recovered.stderr}`);
  await isUnharmed(t, testpmd, before, what);
  await isForwarding(t, testpmd, what);
}

/** Two signals, so many milliseconds apart. */
async function giveUp(running: LiveCapture, apartMs: number) {
  await running.started();
  running.process.signal('SIGINT');
  await delay(apartMs);
  running.process.signal('SIGINT');
  return endOf(running);
}

/** Today's product frees, or waits to, at about this time after the first signal. */
const APART_MS = [2000, 2050, 2100, 2150];

t.test('a second Ctrl-C while memory is freed', { skip }, async (t) => {
  const testpmd = await smallPrimary(t);
  const before = await remember(testpmd);
  const fifo = join(t.testdir(), 'pipe');
  run('mkfifo', [fifo]);
  // Each piece takes so long that the second signal comes between the first and the last.
  const slow = await giveUp(startUnread(testpmd, fifo, faultAt('free.piece', 'sleep:500')), 2500);
  t.match(slow, { code: 1, signal: null, messages: /gave up[\s\S]*dpcap recover/ });
  await isUnharmedBy(t, testpmd, before, 'given up while it frees');

  for (const apartMs of APART_MS) {
    const captured = await giveUp(startUnread(testpmd, fifo, {}), apartMs);
    t.equal(captured.signal, null, captured.messages);
    await isUnharmedBy(t, testpmd, before, `given up after ${apartMs} ms`);
  }
});

for (const allocation of ['xmem', 'xmemhuge', 'anon']) {
  t.test(`mempools of the primary that cannot be read: --mp-alloc=${allocation}`, { skip }, async (t) => {
    const testpmd = await startTestpmd({ vdevs: ['net_null0'], args: [`--mp-alloc=${allocation}`], mbufs: 4096 });
    t.teardown(() => testpmd.stop());
    await testpmd.command('start');
    const before = await remember(testpmd);
    const captured = await endOf(startShort(testpmd));
    t.notMatch(captured.messages, /ended unexpectedly/, `the engine did not crash: ${captured.messages}`);
    t.match(await runDpcap(['doctor', '--file-prefix', testpmd.prefix]), { signal: null });
    await isUnharmedBy(t, testpmd, before, allocation);
  });
}
