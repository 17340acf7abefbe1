import { join } from 'node:path';
import t from 'tap';
import { resolvePortNames } from '../../src/dpvs/port-names.js';
import type { Primary } from '../../src/primary/discover.js';
import type { PortInfo } from '../../src/primary/telemetry.js';
import { FakeDpvs } from './helpers/fake-dpvs.js';
import { tempDir } from './helpers/temp-dir.js';

const primary = (program: string, path: string): Primary =>
  ({ filePrefix: 'rte', process: { program, commandLine: [program, '-x', path] } }) as unknown as Primary;
const PORTS = ['0000:06:00.0', '0000:06:00.1', 'net_bonding0', 'virtio_user3'].map((name, id) => ({ id, name }));

t.test("DPVS's names become DPDK's", async (t) => {
  const path = join(tempDir(t), 'ipc');
  const fake = await FakeDpvs.start({
    ...{ path, dialect: 'C' },
    ports: [{ name: 'dpdk0' }, { name: 'dpdk1' }, { name: 'bond0' }, { name: 'dpdk0.100' }],
    ranges: { physical: [0, 2], bond: [2, 3] },
  });
  t.teardown(() => fake.stop());
  const dpvs = primary('dpvs', path);
  const names = (selectors: string[], ports: PortInfo[] | undefined = PORTS as PortInfo[]): Promise<string[]> =>
    resolvePortNames(selectors, { primary: dpvs, ports });
  t.same(await names(['dpdk1', 'bond0', '0']), ['0000:06:00.1', 'net_bonding0', '0']);
  t.same(await resolvePortNames(['dpdk1'], { primary: dpvs, ports: undefined }), ['1'], 'no telemetry: its id');
  t.same(await names(['eth7']), ['eth7'], 'what nobody knows is told by whoever lists the ports');
  await t.rejects(names(['dpdk0.100']), { code: 'ERR_PORT_UNSUITABLE', hint: /-i dpdk0 --vlan 100/ });
  const before = fake.requests.length;
  t.same(await names(['any', '3', '0000:06:00.0']), ['any', '3', '0000:06:00.0']);
  t.equal(fake.requests.length, before, 'asked only where a name is not known');
  t.same(await resolvePortNames(['dpdk0'], { primary: primary('dpdk-testpmd', path), ports: undefined }), ['dpdk0']);
});

t.test('a DPVS that cannot be asked is said', async (t) => {
  const dpvs = primary('dpvs', join(tempDir(t), 'none'));
  await t.rejects(resolvePortNames(['dpdk0'], { primary: dpvs, ports: [] }), { code: 'ERR_DPVS_ABSENT' });
});
