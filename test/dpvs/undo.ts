import { join } from 'node:path';
import t from 'tap';
import { socketIdentity } from '../../src/dpvs/identify.js';
import { undoForward } from '../../src/dpvs/undo.js';
import type { JournalEntry } from '../../src/system/journal.js';
import { FakeDpvs, type FakeOptions } from './helpers/fake-dpvs.js';
import { tempDir } from './helpers/temp-dir.js';

async function start(t: { teardown(undo: () => unknown): void }, options: Partial<FakeOptions> = {}) {
  const path = join(tempDir(t), 'ipc');
  const fake = await FakeDpvs.start({ dialect: 'A', ports: [{ forward2kni: true }], ...options, path });
  t.teardown(() => fake.stop());
  return { path, fake };
}

const entry = (undo: unknown): JournalEntry => ({
  ...{
    kind: 'dpvs-forward2kni',
    subject: 'forward2kni of dpdk0',
    pid: 1,
    startTicks: 1,
    pidNamespace: 0,
    createdAt: '',
  },
  undo,
});

t.test('switches off in the same life of DPVS', async (t) => {
  const { path, fake } = await start(t);
  const life = socketIdentity(path);
  t.equal(await undoForward(entry({ socket: path, life, port: 'dpdk0' })), 'forward2kni of dpdk0 was switched off');
  t.equal(fake.ports[0]?.forward2kni, false);
  t.match(await undoForward(entry({ socket: path, life, port: 'dpdk0' })), /was off already/);
  t.equal(fake.sets.length, 1);
});

t.test('leaves a DPVS alone that was started since', async (t) => {
  const { path, fake } = await start(t);
  t.match(await undoForward(entry({ socket: path, life: 'another', port: 'dpdk0' })), /that DPVS has ended since/);
  t.same([fake.requests.length, fake.ports[0]?.forward2kni], [0, true], 'it was not even asked');
});

t.test('a DPVS that has changed its release meanwhile is not switched', async (t) => {
  const { path, fake } = await start(t, { version: 'dpvs:v1.10-2' });
  const undo = entry({ socket: path, life: socketIdentity(path), port: 'dpdk0' });
  await t.rejects(undoForward(undo), { code: 'ERR_DPVS_DOUBT' });
  t.same(fake.sets, []);
});

t.test('a record of another shape is refused', async (t) => {
  for (const undo of [null, {}, { socket: '', life: '', port: 'dpdk0' }, { socket: '/x', life: 'x', port: 1 }]) {
    t.throws(() => undoForward(entry(undo)), Error, JSON.stringify(undo));
  }
});
