/** Engines and recoveries that die at named points: nothing locks, and whoever comes next clears what they left. */
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { endOf, smallPrimary, startShort } from '../harness/beside.js';
import { engineOf, gone, killBoth } from '../harness/engine.js';
import { type FaultPoint, faultAt, RECOVERY_POINTS, START_POINTS, STOP_POINTS } from '../harness/fault.js';
import {
  type Before,
  type Finished,
  isForwarding,
  isUnharmed,
  remember,
  requirements,
  runDpcap,
  startDpcap,
  type Testpmd,
} from '../harness/index.js';
import { answers } from '../harness/primary-answers.js';
import { locksAreFree } from '../harness/secondary.js';
import { isStopped } from '../harness/stopped.js';

const skip = requirements({ hugepagesMb: 512 });
/** Of what is done in pieces, some are done and some are not. */
const SOME = 3;

const nth = (point: FaultPoint): number | undefined => (point.endsWith('.piece') ? SOME : undefined);

const recover = (testpmd: Testpmd, env: NodeJS.ProcessEnv = {}): Promise<Finished> =>
  startDpcap(['recover', '--file-prefix', testpmd.prefix], { env }).wait(30_000);

async function isCleared(t: Test, testpmd: Testpmd, before: Before, what: string): Promise<void> {
  await answers(t, testpmd, what);
  const recovered = await recover(testpmd);
  t.equal(recovered.code, 0, `${what}: ${recovered.stdout}${recovered.stderr}`);
  await isUnharmed(t, testpmd, before, what);
}

t.test('an engine that dies is cleared by its supervisor', { skip }, async (t) => {
  const testpmd = await smallPrimary(t);
  const before = await remember(testpmd);
  for (const point of [...START_POINTS, ...STOP_POINTS]) {
    const captured = await endOf(startShort(testpmd, faultAt(point, 'kill', nth(point))));
    t.match(captured, { code: 1, messages: /SIGKILL/ }, `killed at ${point}`);
    await answers(t, testpmd, `killed at ${point}`);
    await isUnharmed(t, testpmd, before, `killed at ${point}`);
  }
  const crashed = await endOf(startShort(testpmd, faultAt('opened', 'segv')));
  t.match(crashed, { code: 1, messages: /SIGSEGV/ });
  await isUnharmed(t, testpmd, before, 'crashed');
  await locksAreFree(t, testpmd, 'after all');
  await isForwarding(t, testpmd, 'after all');
});

/** Stops the engine at `point` and kills it there with its supervisor. Resolves with false when it never came there. */
async function dieAt(testpmd: Testpmd, point: FaultPoint): Promise<boolean> {
  const running = startShort(testpmd, faultAt(point, 'stop', nth(point)));
  const engine = await engineOf(running.pid);
  while (running.process.alive() && !isStopped(engine)) await delay(2);
  const isThere = running.process.alive();
  if (isThere) killBoth(running.pid);
  await Promise.all([endOf(running), gone(engine)]);
  return isThere;
}

t.test('when both die, a recovery clears', { skip }, async (t) => {
  const testpmd = await smallPrimary(t);
  const before = await remember(testpmd);
  for (const point of [...START_POINTS, ...STOP_POINTS]) {
    t.ok(await dieAt(testpmd, point), `both died at ${point}`);
    await isCleared(t, testpmd, before, `both died at ${point}`);
  }
  await locksAreFree(t, testpmd, 'after all');
  await isForwarding(t, testpmd, 'after all');
});

t.test('a recovery that dies is followed by another', { skip }, async (t) => {
  const testpmd = await smallPrimary(t);
  const before = await remember(testpmd);
  for (const point of RECOVERY_POINTS) {
    await dieAt(testpmd, 'opened');
    const killed = await recover(testpmd, faultAt(point, 'kill', nth(point)));
    t.match(killed, { code: 1, signal: null }, `killed at ${point}: ${killed.stdout}${killed.stderr}`);
    await isCleared(t, testpmd, before, `killed at ${point}`);
  }
  await locksAreFree(t, testpmd, 'after all');
});

t.test('two recoveries at once', { skip }, async (t) => {
  const testpmd = await smallPrimary(t);
  const before = await remember(testpmd);
  for (const point of RECOVERY_POINTS) {
    await dieAt(testpmd, 'opened');
    const both = await Promise.all([recover(testpmd, faultAt(point, 'sleep:1500', nth(point))), recover(testpmd)]);
    const texts = both.map(({ stdout, stderr }) => stdout + stderr).join('');
    t.match(texts, /cleared a capture/, `one waits at ${point}: ${texts}`);
    await isCleared(t, testpmd, before, `one waits at ${point}`);
  }
  await runDpcap(['recover', '--file-prefix', testpmd.prefix]);
  await isForwarding(t, testpmd, 'after all');
});
