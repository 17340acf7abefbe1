import { openSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { alone, waitForLock } from '../../src/system/lock-file.js';
import { binding } from '../helpers/native.js';

t.test('one at a time, whoever fails', async (t) => {
  const runtimeDir = t.testdir();
  const order: string[] = [];
  let finish = (): void => {};
  const first = alone(binding(), runtimeDir, async () => {
    order.push('first begins');
    await new Promise<void>((resolve) => {
      finish = resolve;
    });
    order.push('first ends');
    throw new Error('its own');
  });
  while (order.length === 0) await new Promise(setImmediate);
  const second = alone(binding(), runtimeDir, async () => order.push('second'));
  t.equal(await waitForLock(binding(), join(runtimeDir, 'dpcap_memory.lock'), 0), undefined, 'it is held');
  finish();
  await t.rejects(first, /its own/);
  await second;
  t.same(order, ['first begins', 'first ends', 'second']);
});

t.test('without a directory to lock in the work is done all the same', async (t) => {
  t.equal(await alone(binding(), join(t.testdir(), 'gone'), async () => 7), 7);
});

t.test('a link in the place of the lock is not followed', async (t) => {
  const runtimeDir = t.testdir({ 'x.lock': t.fixture('symlink', 'elsewhere') });
  await t.rejects(waitForLock(binding(), join(runtimeDir, 'x.lock'), 0), { code: 'ERR_SYSTEM', errno: 'ELOOP' });
  t.throws(() => openSync(join(runtimeDir, 'elsewhere'), 'r'), 'nothing was made there');
});
