/** The property that matters most: whatever listens there, a SET is either exactly right or not sent. */
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { DpvsClient } from '../../src/dpvs/client.js';
import { switchForward, viewPort } from '../../src/dpvs/switch.js';
import { type DialectName, FakeDpvs, type Fault, type SeenRequest } from './helpers/fake-dpvs.js';
import { tempDir } from './helpers/temp-dir.js';

const RELEASES: Record<string, DialectName> = {
  'dpvs:v1.9-4': 'A',
  'DPDK-FULLNAT Server version 1.1.4 (size=0)': 'A',
  'dpvs:v1.9-6': 'B',
  'dpvs:v1.9-8': 'C',
  'dpvs:v1.9-10': 'C',
  'dpvs:v1.10-1': 'C',
  'dpvs:v1.10-2': 'C',
};
const OTHERS = ['dpvs:v1.9-2', 'dpvs:v1.9-7', 'dpvs:v1.10-3', 'dpvs:v2.0-0', 'dpvs:v1.10-2-ours', 'nginx'];
const EXACT: Record<DialectName, { id: number; on: number; off: number }> = {
  A: { id: 501, on: 0x10, off: 0x20 },
  B: { id: 53, on: 0x40, off: 0x80 },
  C: { id: 54, on: 0x40, off: 0x80 },
};

const edit = fc.record({ offset: fc.nat({ max: 250 }), value: fc.nat({ max: 255 }) });
const fault: fc.Arbitrary<Fault | undefined> = fc.oneof(
  { weight: 6, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.constantFrom<Fault>({ kind: 'close' }, { kind: 'ignore' }, { kind: 'mute' }) },
  {
    weight: 1,
    arbitrary: fc.uint8Array({ maxLength: 120 }).map((bytes): Fault => ({ kind: 'bytes', bytes: Buffer.from(bytes) })),
  },
  {
    weight: 1,
    arbitrary: edit.map(
      ({ offset, value }): Fault => ({
        kind: 'edit',
        edit: (reply) => {
          if (offset < reply.length) reply.writeUInt8(value, offset);
          return reply;
        },
      }),
    ),
  },
);
const scenario = fc.record({
  dialect: fc.constantFrom<DialectName>('A', 'B', 'C'),
  version: fc.constantFrom(...Object.keys(RELEASES), ...OTHERS),
  on: fc.boolean(),
  was: fc.boolean(),
  link: fc.boolean(),
  name: fc.constantFrom('dpdk0', 'bond0', 'p'),
  faults: fc.array(fault, { maxLength: 12 }),
});

t.test('a SET is exact, complete, for a release that speaks its dialect, or does not happen', async (t) => {
  const path = join(tempDir(t), 'ipc');
  let sent = 0;
  await fc.assert(
    fc.asyncProperty(scenario, async ({ dialect, version, on, was, link, name, faults }) => {
      const fake = await FakeDpvs.start({
        ...{ path, dialect, version },
        ports: [{ name, forward2kni: was, link, tcEgress: true, promisc: true }],
        fault: (_request: SeenRequest, index: number) => faults[index],
      });
      const before = { ...fake.ports[0] };
      try {
        const client = new DpvsClient(path, { deadlineMs: 500 });
        await switchForward(client, await viewPort(client, name), on);
      } catch {
        // Refusing is always allowed; what was sent is judged below.
      } finally {
        await fake.stop();
      }
      sent += fake.sets.length;
      const after = { ...fake.ports[0], forward2kni: before.forward2kni };
      if (JSON.stringify(after) !== JSON.stringify(before)) throw new Error('another setting of the port changed');
      if (fake.sets.length > 1) throw new Error('a SET was repeated');
      for (const { id, bytes, pieces } of fake.sets) {
        if (RELEASES[version] !== dialect) throw new Error(`${version} in dialect ${dialect} was switched`);
        const wanted = Buffer.alloc(76);
        wanted.write('00000100', 0, 'hex');
        wanted.writeUInt32LE(EXACT[dialect].id, 4);
        wanted.writeUInt32LE(1, 8);
        wanted.writeUInt32LE(52, 16);
        wanted.write(name, 24, 'latin1');
        wanted.writeUInt16LE(EXACT[dialect][on ? 'on' : 'off'], 74);
        if (!bytes.equals(wanted) || pieces !== 1) throw new Error(`SET ${id} is ${bytes.toString('hex')}`);
      }
    }),
    { numRuns: 1500, seed: 20260 },
  );
  t.ok(sent > 50, `${sent} of the runs sent one`);
});
