import { join } from 'node:path';
import t from 'tap';
import { DpvsClient } from '../../src/dpvs/client.js';
import { FakeDpvs, type FakeOptions, header } from './helpers/fake-dpvs.js';
import { tempDir } from './helpers/temp-dir.js';

async function start(t: { teardown(undo: () => unknown): void }, options: Partial<FakeOptions> = {}) {
  const path = join(tempDir(t), 'ipc');
  const fake = await FakeDpvs.start({ dialect: 'C', ...options, path });
  t.teardown(() => fake.stop());
  return { fake, client: new DpvsClient(path, { deadlineMs: 1000 }) };
}

t.test('requests made together go out one after another', async (t) => {
  let open = 0;
  let most = 0;
  const { fake, client } = await start(t, {
    fault: () => {
      most = Math.max(most, ++open);
      const until = new Promise<void>((resolve) => setImmediate(resolve)).then(() => open--);
      return { kind: 'slow', until };
    },
  });
  await client.identity();
  const asked = fake.requests.length;
  await Promise.all([client.ports(), client.port('dpdk0'), client.kni(), client.kniLcore(), client.slaves('bond0')]);
  t.equal(fake.requests.length, asked + 5);
  t.equal(most, 1);
  t.ok(
    fake.requests.every(({ pieces }) => pieces === 1),
    'each in one piece',
  );
});

t.test('one that fails does not hold up the next', async (t) => {
  const { client } = await start(t);
  const both = await Promise.allSettled([client.port('nobody'), client.port('dpdk0')]);
  t.match(both, [{ status: 'rejected' }, { status: 'fulfilled', value: { name: 'dpdk0', forward2kni: false } }]);
});

t.test('the probes are made once', async (t) => {
  const { fake, client } = await start(t);
  await client.identity();
  await client.ports();
  await client.ports();
  t.equal(fake.requests.filter(({ id }) => id === 17).length, 1);
});

t.test('malformed answers to good questions', async (t) => {
  const answerTo = (id: number, body: Buffer) => ({
    fault: (request: { id: number; type: number; body: Buffer }) =>
      request.id === id && request.body.length !== 1
        ? ({ kind: 'bytes', bytes: header(request, 0, body) } as const)
        : undefined,
  });
  const list = await start(t, answerTo(60, Buffer.alloc(11, 1)));
  await t.rejects(list.client.ports(), { code: 'ERR_DPVS_FOREIGN', message: /port list is malformed/ });
  const basic = await start(t, answerTo(61, Buffer.alloc(127)));
  await t.rejects(basic.client.port('dpdk0'), { code: 'ERR_DPVS_FOREIGN' });
  const bond = await start(t, answerTo(65, Buffer.alloc(2391)));
  await t.rejects(bond.client.slaves('bond0'), { code: 'ERR_DPVS_FOREIGN', message: /slaves of bond0 is malformed/ });
  const mask = await start(t, answerTo(57, Buffer.alloc(23)));
  t.equal(await mask.client.kniLcore(), undefined);
});

t.test('closing instead of answering a question it must know', async (t) => {
  const { client } = await start(t, { fault: ({ id }) => (id === 61 ? { kind: 'close' } : undefined) });
  await t.rejects(client.port('dpdk0'), { code: 'ERR_DPVS_FOREIGN', message: /closed the connection/ });
});
