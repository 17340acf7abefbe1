import { join } from 'node:path';
import t from 'tap';
import { DpvsClient } from '../../src/dpvs/client.js';
import { holdForward } from '../../src/dpvs/hold.js';
import { viewPort } from '../../src/dpvs/switch.js';
import { undoForward } from '../../src/dpvs/undo.js';
import { Journal } from '../../src/system/journal.js';
import { FakeDpvs, type FakeOptions, type Fault } from './helpers/fake-dpvs.js';
import { tempDir } from './helpers/temp-dir.js';

/** Of a process that is not killed. */
const watch = () => ({ stop: () => {} });

type Teardown = { teardown(undo: () => unknown): void };

async function start(t: Teardown, options: Partial<FakeOptions> = {}) {
  const dir = tempDir(t);
  const path = join(dir, 'ipc');
  const fake = await FakeDpvs.start({ dialect: 'C', ...options, path });
  t.teardown(() => fake.stop());
  return { dir, path, fake, client: new DpvsClient(path, { deadlineMs: 500 }), journal: new Journal(dir) };
}

t.test('on while it lasts, journalled before the SET, off at the end', async (t) => {
  let entriesAtSet = -1;
  const setup = await start(t, {
    fault: ({ type }) => {
      if (type === 1 && entriesAtSet < 0) entriesAtSet = setup.journal.list().length;
      return undefined;
    },
  });
  const { fake, client, journal, path } = setup;
  let finish = (): void => {};
  const over = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const switched = (): void => {
    t.equal(fake.ports[0]?.forward2kni, true);
    t.match(journal.list()[0]?.entry, {
      kind: 'dpvs-forward2kni',
      subject: 'forward2kni of dpdk0',
      undo: { socket: path, port: 'dpdk0' },
    });
    finish();
  };
  const ending = await holdForward(client, await viewPort(client, 'dpdk0'), { over, journal, watch, switched });
  t.equal(ending, 'forward2kni of dpdk0 was switched off');
  t.equal(entriesAtSet, 1);
  t.equal(fake.ports[0]?.forward2kni, false);
  t.same(journal.list(), []);
});

t.test('what was on before is left on', async (t) => {
  const { fake, client, journal } = await start(t, { ports: [{ forward2kni: true }] });
  const options = { over: Promise.resolve(), journal, watch, switched: () => {} };
  t.match(await holdForward(client, await viewPort(client, 'dpdk0'), options), /is left on/);
  t.same([fake.sets.length, fake.ports[0]?.forward2kni, journal.list().length], [0, true, 0]);
});

t.test('a change that failed for certain owes nothing; an unknown one does', async (t) => {
  const still = await start(t, { fault: ({ type }) => (type === 1 ? { kind: 'ignore' } : undefined) });
  const options = (journal: Journal) => ({ over: Promise.resolve(), journal, watch, switched: () => {} });
  const view = await viewPort(still.client, 'dpdk0');
  await t.rejects(holdForward(still.client, view, options(still.journal)), { code: 'ERR_DPVS_STATE' });
  t.same(still.journal.list(), []);

  let set = false;
  const lost = await start(t, {
    fault: ({ type }): Fault | undefined => {
      if (set) return { kind: 'close' };
      set = type === 1;
      return undefined;
    },
  });
  const lostView = await viewPort(lost.client, 'dpdk0');
  await t.rejects(holdForward(lost.client, lostView, options(lost.journal)), { code: 'ERR_DPVS_UNKNOWN' });
  t.equal(lost.journal.list().length, 1);
});

t.test('what was changed otherwise than asked is switched off again', async (t) => {
  let sets = 0;
  const odd = await start(t, {
    fault: ({ type }) => {
      if (type === 1 && sets++ === 0) Object.assign(odd.fake.ports[0] as object, { link: false, promisc: true });
      return undefined;
    },
  });
  const options = { over: Promise.resolve(), journal: odd.journal, watch, switched: () => t.fail('it is not on') };
  const failed = holdForward(odd.client, await viewPort(odd.client, 'dpdk0'), options);
  await t.rejects(failed, { code: 'ERR_DPVS_STATE', message: /is on, but other settings changed/ });
  t.equal(odd.fake.ports[0]?.forward2kni, false);
  t.same(odd.journal.list(), []);
});

t.test('when switching off fails the entry stays, and recover can do it later', async (t) => {
  let sets = 0;
  let broken = true;
  const { fake, client, journal } = await start(t, {
    fault: ({ type }) => (type === 1 && ++sets > 1 && broken ? { kind: 'ignore' } : undefined),
  });
  const options = { over: Promise.resolve(), journal, watch, switched: () => {} };
  await t.rejects(holdForward(client, await viewPort(client, 'dpdk0'), options), {
    message: /^forward2kni of dpdk0 may still be on/,
    hint: /dpcap recover/,
  });
  const [open] = journal.list();
  if (!open) throw new Error('no entry');
  await t.rejects(undoForward(open.entry), { code: 'ERR_DPVS_STATE' });
  broken = false;
  t.equal(await undoForward(open.entry), 'forward2kni of dpdk0 was switched off');
  t.equal(fake.ports[0]?.forward2kni, false);
  t.match(await undoForward(open.entry), /was off already/);
  fake.ports.length = 0;
  t.match(await undoForward(open.entry), /has no such port any more/);
  await fake.stop();
  t.match(await undoForward(open.entry), /that DPVS has ended since/);
});

t.test('what cannot be journalled is not switched on', async (t) => {
  const { fake, client, path } = await start(t);
  const options = { over: Promise.resolve(), journal: new Journal(path), switched: () => {} };
  const view = await viewPort(client, 'dpdk0');
  await t.rejects(holdForward(client, view, options), {
    errno: 'ENOTDIR',
    message: /not switched on/,
    hint: /XDG_STATE_HOME/,
  });
  t.same(fake.sets, []);
});
