import { join } from 'node:path';
import t from 'tap';
import { DpvsClient } from '../../src/dpvs/client.js';
import { describeDpvs, summaryJson, summaryRows } from '../../src/dpvs/summary.js';
import { alignRows } from '../../src/text/table.js';
import { FakeDpvs } from './helpers/fake-dpvs.js';
import { tempDir } from './helpers/temp-dir.js';

t.test('a DPVS with a bond, a slave and a VLAN device', async (t) => {
  const path = join(tempDir(t), 'ipc');
  const fake = await FakeDpvs.start({
    ...{ path, dialect: 'C' },
    ports: [
      { name: 'dpdk0', forward2kni: true },
      { name: 'dpdk1', link: false },
      { name: 'bond0' },
      { name: 'dpdk0.100' },
    ],
    ranges: { physical: [0, 2], bond: [2, 3] },
    slaves: { bond0: ['dpdk1'] },
  });
  t.teardown(() => fake.stop());
  const names = new Map([
    ['dpdk0', 'front'],
    ['dpdk1', 'a slave has none'],
  ]);
  const summary = await describeDpvs(new DpvsClient(path), names);
  const { head, rows } = summaryRows({ summary });
  t.equal(head, `DPVS dpvs:v1.10-2 (dialect C) at ${path}, kni on`);
  t.same(alignRows(rows), [
    'dpdk0      physical        up    forward2kni on   kni front',
    'dpdk1      slave of bond0  down  forward2kni off',
    'bond0      bond            up    forward2kni off',
    'dpdk0.100  virtual         up    forward2kni off',
  ]);
  t.match(summaryJson({ summary }), {
    dialect: 'C',
    kni: true,
    ports: [{ name: 'dpdk0', master: null, kni: 'front' }],
  });
  t.equal(fake.sets.length, 0);
});

t.test('with "kni off" there is no interface, whatever is called like one', async (t) => {
  const path = join(tempDir(t), 'ipc');
  const fake = await FakeDpvs.start({ path, dialect: 'C', kni: false, ports: [{ name: 'dpdk0' }] });
  t.teardown(() => fake.stop());
  const summary = await describeDpvs(new DpvsClient(path), new Map([['dpdk0', 'front']]));
  t.match(summary, { kni: false, ports: [{ name: 'dpdk0', kni: undefined }] });
});

t.test('one that does not answer', async (t) => {
  t.same(summaryRows({ failure: 'cannot reach DPVS' }), { head: 'DPVS: cannot reach DPVS', rows: [] });
  t.same(summaryJson({ failure: 'why' }), { error: 'why' });
});
