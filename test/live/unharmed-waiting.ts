/** Whoever waits for a lock in the primary, and holds nothing there, hears signals and ends with its parent. */
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { smallPrimary, startShort } from '../harness/beside.js';
import { engineOf, gone } from '../harness/engine.js';
import { isUnharmed, remember, requirements, startDpcap } from '../harness/index.js';
import { answers } from '../harness/primary-answers.js';
import { type EalLock, startSecondary } from '../harness/secondary.js';

const skip = requirements({ hugepagesMb: 512 });
/** What has nothing in the primary ends within this time when it is told to. */
const END_MS = 10_000;
/** After this time an engine has joined, or waits for the lock. */
const WAITING_MS = 2000;

/** Asserts that `pid` ends in time; what does not is killed, so that the test goes on. */
async function ends(t: Test, pid: number, what: string): Promise<void> {
  const failure = await gone(pid, END_MS).catch((error: Error) => error.message);
  t.equal(failure, undefined, what);
  if (failure) process.kill(pid, 'SIGKILL');
}

for (const lock of ['memory', 'tailq'] satisfies EalLock[]) {
  t.test(`the lock ${lock} is held while an engine joins`, { skip }, async (t) => {
    const testpmd = await smallPrimary(t);
    const secondary = await startSecondary(t, testpmd);
    const before = await remember(testpmd);
    await secondary.lock(lock);

    const orphan = startShort(testpmd);
    const engine = await engineOf(orphan.pid);
    await delay(WAITING_MS);
    orphan.process.signal('SIGKILL');
    await ends(t, engine, 'an engine that waits for a lock ends with its supervisor');

    for (const words of [['capture', '-w', '/dev/null'], ['recover']]) {
      const waiting = startDpcap([...words, '--file-prefix', testpmd.prefix]);
      const engine = await engineOf(waiting.pid);
      await delay(WAITING_MS);
      waiting.signal('SIGINT');
      await ends(t, waiting.pid, `${words[0]} hears Ctrl-C`);
      await ends(t, engine, 'and so does its engine');
    }
    await secondary.unlock(lock);
    await answers(t, testpmd, `${lock} was held`);
    await isUnharmed(t, testpmd, before, `${lock} was held`);
  });
}
