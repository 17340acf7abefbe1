import { join } from 'node:path';
import t from 'tap';
import { DpvsClient } from '../../src/dpvs/client.js';
import { expectations, requireHarmless, switchForward, viewPort } from '../../src/dpvs/switch.js';
import { type DialectName, FakeDpvs, type FakeOptions, type Fault, type SeenRequest } from './helpers/fake-dpvs.js';
import { tempDir } from './helpers/temp-dir.js';

type Teardown = { teardown(undo: () => unknown): void };

async function start(t: Teardown, options: Omit<FakeOptions, 'path'>): Promise<{ fake: FakeDpvs; client: DpvsClient }> {
  const path = join(tempDir(t), 'ipc');
  const fake = await FakeDpvs.start({ ...options, path });
  t.teardown(() => fake.stop());
  return { fake, client: new DpvsClient(path, { deadlineMs: 1000 }) };
}

const BITS: Record<DialectName, [number, number, number]> = {
  A: [501, 0x10, 0x20],
  B: [53, 0x40, 0x80],
  C: [54, 0x40, 0x80],
};
for (const dialect of ['A', 'B', 'C'] as const) {
  t.test(`dialect ${dialect}: on, on again, off`, async (t) => {
    const { fake, client } = await start(t, { dialect });
    const before = { ...fake.ports[0] };
    const [id, on, off] = BITS[dialect];
    t.same(await switchForward(client, await viewPort(client, 'dpdk0'), true), { was: false, is: true, notes: [] });
    t.same(fake.ports[0], { ...before, forward2kni: true }, 'nothing else changed');
    t.same(await switchForward(client, await viewPort(client, 'dpdk0'), true), { was: true, is: true, notes: [] });
    t.equal(fake.sets.length, 1, 'no SET when it is so already');
    t.same(await switchForward(client, await viewPort(client, '0'), false), { was: true, is: false, notes: [] });
    t.same(fake.ports[0], before);
    t.same(
      fake.sets.map(({ id, body, pieces }) => [id, body.readUInt16LE(50), pieces]),
      [
        [id, on, 1],
        [id, off, 1],
      ],
    );
  });
}

const onSet = (fault: Fault) => (request: SeenRequest) => (request.type === 1 ? fault : undefined);

t.test('a lost answer is not a lost change', async (t) => {
  const { fake, client } = await start(t, { dialect: 'C', fault: onSet({ kind: 'mute' }) });
  const result = await switchForward(client, await viewPort(client, 'dpdk0'), true);
  t.match(result, { was: false, is: true, notes: [/the answer was lost/] });
  t.equal(fake.sets.length, 1, 'and is not repeated');
});

t.test('a hung SET: the state is read back after the deadline', async (t) => {
  const path = join(tempDir(t), 'ipc');
  const fake = await FakeDpvs.start({ path, dialect: 'C', fault: onSet({ kind: 'hang' }) });
  t.teardown(() => fake.stop());
  const client = new DpvsClient(path, { deadlineMs: 100 });
  const view = await viewPort(client, 'dpdk0');
  await t.rejects(switchForward(client, view, true), { code: 'ERR_DPVS_STATE', message: /is not on: .* in time/ });
});

t.test('read-back mismatch: DPVS says yes and does nothing', async (t) => {
  const { client } = await start(t, { dialect: 'C', fault: onSet({ kind: 'ignore' }) });
  const view = await viewPort(client, 'dpdk0');
  await t.rejects(switchForward(client, view, true), { code: 'ERR_DPVS_STATE', message: /although DPVS said so/ });
});

t.test('read-back impossible: the state is said to be unknown', async (t) => {
  let set = false;
  const fault = (request: SeenRequest): Fault | undefined => {
    if (set) return { kind: 'close' };
    set = request.type === 1;
    return undefined;
  };
  const { client } = await start(t, { dialect: 'B', fault });
  const view = await viewPort(client, 'dpdk0');
  await t.rejects(switchForward(client, view, true), {
    code: 'ERR_DPVS_UNKNOWN',
    hint: /dpcap forward2kni dpdk0 status/,
  });
});

t.test('something else changed with it: loud', async (t) => {
  const path = join(tempDir(t), 'ipc');
  const fake: FakeDpvs = await FakeDpvs.start({
    path,
    dialect: 'C',
    fault: (request) => {
      if (request.type === 1) Object.assign(fake.ports[0] as object, { link: false, promisc: true });
      return undefined;
    },
  });
  t.teardown(() => fake.stop());
  const client = new DpvsClient(path);
  const view = await viewPort(client, 'dpdk0');
  const message = /is on, but other settings changed: the link went down, flags 0x5e0 to 0x5e5/;
  await t.rejects(switchForward(client, view, true), { code: 'ERR_DPVS_STATE', message });
});

t.test('refused by DPVS', async (t) => {
  const refusal = Buffer.alloc(88);
  refusal.write('00000100360000000100000000000000', 'hex');
  refusal.writeInt32LE(-13, 12);
  refusal.write('resource busy', 16);
  const { client } = await start(t, { dialect: 'C', fault: onSet({ kind: 'bytes', bytes: refusal }) });
  const view = await viewPort(client, 'dpdk0');
  await t.rejects(switchForward(client, view, true), { code: 'ERR_DPVS_REFUSED', message: /resource busy \(-13\)/ });
});

t.test('in doubt nothing is sent', async (t) => {
  for (const options of [
    { dialect: 'C', version: 'dpvs:v1.11-0' },
    { dialect: 'B', version: 'dpvs:v1.9-8' },
    { dialect: 'A', version: 'dpvs:v1.10-2' },
  ] as const) {
    const { fake, client } = await start(t, options);
    const view = await viewPort(client, 'dpdk0');
    await t.rejects(switchForward(client, view, true), { code: 'ERR_DPVS_DOUBT', exitCode: 1 });
    t.same(fake.sets, []);
  }
});

t.test('unknown ports, and a state that is not the port that was asked for', async (t) => {
  const { fake, client } = await start(t, { dialect: 'C', ports: [{ name: 'dpdk0' }, { name: 'dpdk1' }] });
  await t.rejects(viewPort(client, 'dpdk9'), { code: 'ERR_PORT_UNKNOWN', hint: 'it has dpdk0, dpdk1', exitCode: 2 });
  await t.rejects(viewPort(client, '7'), { code: 'ERR_PORT_UNKNOWN' });
  await t.rejects(client.port('dpdk9'), { code: 'ERR_PORT_UNKNOWN' });
  t.same(fake.sets, []);
  const other = await start(t, {
    dialect: 'C',
    fault: ({ id }) =>
      id === 61 ? { kind: 'edit', edit: (reply) => reply.fill('eth9\0', 88, 93, 'latin1') } : undefined,
  });
  await t.rejects(viewPort(other.client, 'dpdk0'), { code: 'ERR_DPVS_FOREIGN', message: /does not read as dialect C/ });
});

const BONDED: Omit<FakeOptions, 'path'> = {
  dialect: 'C',
  ports: [{ name: 'dpdk0' }, { name: 'dpdk1' }, { name: 'bond0' }, { name: 'bond0.100' }],
  ranges: { physical: [0, 2], bond: [2, 3] },
  slaves: { bond0: ['dpdk1'] },
  kni: true,
  kniLcore: 3,
};
t.test('what one expects of a port', async (t) => {
  const { client } = await start(t, BONDED);
  const about = async (name: string): Promise<string[]> => expectations(await viewPort(client, name));
  t.same(await about('dpdk0'), []);
  t.same(await about('bond0'), []);
  t.match(await about('dpdk1'), [/^dpdk1 is a slave of bond0: nothing is copied from it; use bond0$/]);
  t.match(await about('bond0.100'), [/virtual device \(VLAN\): nothing is copied.* dropped while on; use bond0$/]);
  t.doesNotThrow(() => requireHarmless({ listed: { id: 0, name: 'dpdk1', kind: 'physical' } } as never));
  const vlan = await viewPort(client, 'bond0.100');
  t.throws(() => requireHarmless(vlan), { code: 'ERR_PORT_UNSUITABLE' });
  await t.rejects(viewPort(client, '3'), { code: 'ERR_PORT_UNKNOWN' }, 'ids of virtual devices are not those of DPDK');
  t.match(await viewPort(client, '2'), { listed: { name: 'bond0' } });
});

t.test('kni off, and no worker for it', async (t) => {
  const off = await start(t, { dialect: 'C', kni: false });
  t.match(expectations(await viewPort(off.client, 'dpdk0')), [/"kni off": copies are made and thrown away/]);
  const lazy = await start(t, { dialect: 'B', kniLcore: 0 });
  t.match(expectations(await viewPort(lazy.client, 'dpdk0')), [/no KNI worker lcore/]);
  const old = await start(t, { dialect: 'A', version: 'DPDK-FULLNAT Server version 1.1.4 (size=0)', kni: false });
  t.match(await viewPort(old.client, 'dpdk0'), { kni: undefined, kniLcore: undefined }, 'it does not tell');
});
