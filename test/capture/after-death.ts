import t from 'tap';
import { StuckError, unlessStuck } from '../../src/capture/after-death.js';

const NEVER = new Promise<never>(() => {});
const DEAD = { primaryGone: Promise.resolve(), filePrefix: 'x' };
const ALIVE = { primaryGone: NEVER, filePrefix: 'x' };
const FAR_MS = 3_600_000;

t.test('work that ends is waited for', async (t) => {
  t.equal(await unlessStuck(Promise.resolve(7), ALIVE, 0), 7);
  t.equal(
    await unlessStuck(new Promise((resolve) => setImmediate(resolve, 7)), DEAD, FAR_MS),
    7,
    'and holds nobody up',
  );
  await t.rejects(unlessStuck(Promise.reject(new Error('its own')), DEAD, FAR_MS), /its own/);
});

t.test('work that outlives the primary is given up', async (t) => {
  const error = await unlessStuck(NEVER, DEAD, 1).catch((thrown: unknown) => thrown);
  t.ok(error instanceof StuckError);
  t.match(error, { code: 'ERR_PRIMARY_GONE', subject: 'x' });
});
