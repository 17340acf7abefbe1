/** Engines whose supervisor dies while they start: none stays, and none leaves anything. */
import { fork } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import {
  cpuSeconds,
  enginePid,
  gone,
  isForwarding,
  isUnharmed,
  remember,
  requirements,
  runDpcap,
  startCapture,
  startTestpmd,
} from './helpers/index.js';

const skip = requirements({ hugepagesMb: 256 });
const ENGINE = fileURLToPath(new URL('../../bundle/engine.cjs', import.meta.url));
const VDEVS = ['net_null0', 'net_null1'];

/** Pid of the engine, if it was started already. */
function engineOf(supervisor: number): number | undefined {
  try {
    return enginePid(supervisor);
  } catch {
    return undefined;
  }
}

t.test('a supervisor killed at any moment of the start', { skip }, async (t) => {
  const testpmd = await startTestpmd({ vdevs: VDEVS });
  t.teardown(() => testpmd.stop());
  await testpmd.command('start');
  const before = await remember(testpmd);
  let engines = 0;
  for (let afterMs = 150; afterMs < 750; afterMs += 40) {
    const running = startCapture(testpmd, ['-i', '0', '-w', '/dev/null']);
    await delay(afterMs); // the moment under test
    running.process.signal('SIGSTOP');
    const engine = engineOf(running.pid);
    await running.stop('SIGKILL');
    if (engine !== undefined) {
      await gone(engine);
      engines++;
    }
    await isUnharmed(t, testpmd, before, `after ${afterMs} ms`);
  }
  t.ok(engines > 3, `${engines} engines had been started`);
  await isForwarding(t, testpmd, 'in the end');
});

/** Sets the word by which a primary says that it is initialised; returns the one before. */
function setMagic(prefix: string, magic: number): number {
  const file = openSync(`/var/run/dpdk/${prefix}/config`, 'r+');
  const word = Buffer.alloc(4);
  const before = readFileSync(`/var/run/dpdk/${prefix}/config`).readUInt32LE(0);
  word.writeUInt32LE(magic);
  writeSync(file, word, 0, 4, 0);
  closeSync(file);
  return before;
}

t.test('an engine that waits inside EAL ends with its parent', { skip }, async (t) => {
  const testpmd = await startTestpmd({ vdevs: VDEVS });
  t.teardown(() => testpmd.stop());
  const words = ['--file-prefix', testpmd.prefix, '-i', '0', '-w', '/dev/null', '--dry-run'];
  const plan: unknown = JSON.parse((await runDpcap(words)).stdout);
  const magic = setMagic(testpmd.prefix, 0); // a primary that never gets ready
  const engine = fork(ENGINE, { serialization: 'advanced' });
  t.teardown(() => engine.kill('SIGKILL'));
  engine.send({ type: 'capture', plan } as object);
  const pid = engine.pid as number;
  while (cpuSeconds(pid) < 1) await delay(20); // it spins
  engine.disconnect();
  await gone(pid);
  setMagic(testpmd.prefix, magic);
  t.ok(testpmd.alive());
});
