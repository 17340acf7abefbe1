/** Engines whose supervisor, or primary, dies while they start: none stays, and none leaves anything. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { engineOf } from '../harness/engine.js';
import {
  cpuSeconds,
  gone,
  isForwarding,
  isUnharmed,
  remember,
  requirements,
  runDpcap,
  startCapture,
  startTestpmd,
  type Testpmd,
} from '../harness/index.js';

const skip = requirements({ hugepagesMb: 256 });
const ENGINE = fileURLToPath(new URL('../../bundle/engine.cjs', import.meta.url));
const VDEVS = ['net_null0', 'net_null1'];

t.test('a supervisor killed at any moment of the start', { skip }, async (t) => {
  const testpmd = await startTestpmd({ vdevs: VDEVS });
  t.teardown(() => testpmd.stop());
  await testpmd.command('start');
  const before = await remember(testpmd);
  for (let afterMs = 0; afterMs < 600; afterMs += 60) {
    const running = startCapture(testpmd, ['-i', '0', '-w', '/dev/null']);
    const engine = await engineOf(running.pid);
    await delay(afterMs); // the moment under test
    await running.stop('SIGKILL');
    await gone(engine);
    await isUnharmed(t, testpmd, before, `after ${afterMs} ms`);
  }
  await isForwarding(t, testpmd, 'in the end');
});

/** Sets the word by which a primary says that it is initialised. */
function setMagic(prefix: string, magic: number): void {
  const file = openSync(`/var/run/dpdk/${prefix}/config`, 'r+');
  const word = Buffer.alloc(4);
  word.writeUInt32LE(magic);
  writeSync(file, word, 0, 4, 0);
  closeSync(file);
}

/** An engine, without a supervisor, that waits inside EAL for a primary to get ready. */
async function joining(t: Test, testpmd: Testpmd): Promise<ChildProcess> {
  const words = ['--file-prefix', testpmd.prefix, '-i', '0', '-w', '/dev/null', '--dry-run'];
  const plan: unknown = JSON.parse((await runDpcap(words)).stdout);
  setMagic(testpmd.prefix, 0);
  const engine = fork(ENGINE, { serialization: 'advanced' });
  t.teardown(() => engine.kill('SIGKILL'));
  engine.send({ type: 'capture', capture: 0, plan } as object);
  while (cpuSeconds(engine.pid as number) < 1) await delay(20); // it spins
  return engine;
}

t.test('an engine that waits inside EAL ends with its parent', { skip }, async (t) => {
  const testpmd = await startTestpmd({ vdevs: VDEVS });
  t.teardown(() => testpmd.stop());
  const engine = await joining(t, testpmd);
  engine.disconnect();
  await gone(engine.pid as number);
  t.ok(testpmd.alive());
});

t.test('an engine that waits inside EAL ends with its primary', { skip }, async (t) => {
  const testpmd = await startTestpmd({ vdevs: VDEVS });
  t.teardown(() => testpmd.stop());
  const engine = await joining(t, testpmd);
  const ended = once(engine, 'exit');
  const said: unknown[] = [];
  engine.on('message', (message) => said.push(message));
  await testpmd.kill();
  t.same(await ended, [0, null]);
  t.match(said.at(-1), { type: 'done', error: { error: 'ERR_PRIMARY_GONE' } });
});
