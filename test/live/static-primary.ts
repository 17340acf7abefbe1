/** A primary that is linked statically with few libraries of DPDK: a secondary that loads all drivers cannot join it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { tempDir } from '../dpvs/helpers/temp-dir.js';
import { built, isMissing } from '../harness/built.js';
import { capinfos, isInstalled, requirements, run, runDpcap } from '../harness/index.js';
import { startMallocPrimary } from '../harness/malloc-primary.js';

const LIBRARY = '/usr/lib/x86_64-linux-gnu/librte_eal.a';
const skip =
  requirements({ hugepagesMb: 256 }) ||
  (!existsSync(LIBRARY) && `DPDK has no static libraries here (${LIBRARY})`) ||
  isMissing('dpdk-static-primary');

t.test('it is captured from, and cleared', { skip }, async (t) => {
  const primary = await startMallocPrimary(['net_null0'], [], 'dpdk-static-primary');
  t.teardown(() => primary.stop());
  await primary.forward('on');
  const file = join(t.testdir({}), 'x.pcapng');
  const where = ['--file-prefix', primary.prefix];
  const captured = await runDpcap([...where, '-i', '0', '-c', '1000', '-w', file]);
  t.match(captured, { code: 0 });
  t.notMatch(captured.stderr, /Tailq|tailq/, 'nothing is said of the first attempt');
  t.equal(Number(capinfos(file)['Number of packets']), 1000);
  t.match(await runDpcap(['doctor', ...where]), {
    stdout: /mempool ops +ring_mp_mc at index \d+ of 6 \(.*dpdk-static-primary/,
  });
  t.match(await runDpcap(['recover', ...where]), { code: 0, stdout: /nothing to clear/ });
  t.ok(primary.alive());
  const before = await primary.waits();
  await primary.forwarded(1000);
  t.ok((await primary.waits()).packets > before.packets);
});

t.test(
  'stripped, it is captured from where its mempools are vouched for',
  { skip: skip || (!isInstalled('strip') && 'strip is not installed') },
  async (t) => {
    const stripped = join(tempDir(t), 'stripped-primary');
    run('strip', ['-o', stripped, built('dpdk-static-primary')]);
    const primary = await startMallocPrimary(['net_null0'], [], stripped);
    t.teardown(() => primary.stop());
    await primary.forward('on');
    const where = ['--file-prefix', primary.prefix];
    const capture = [...where, '-i', '0', '-c', '1000', '-w', '/dev/null'];
    t.match(await runDpcap(capture), {
      code: 1,
      stderr:
        /no file of the process defines rte_mempool_ops_table; a static executable may have been stripped; .*--trust-/s,
    });
    t.match(await runDpcap([...capture, '--trust-mempools']), { code: 0, stderr: /1000 packets captured/ });
    t.match(await runDpcap(['recover', ...where]), { code: 0, stdout: /nothing to clear/ });
    const before = await primary.waits();
    await primary.forwarded(1000);
    t.ok((await primary.waits()).packets > before.packets);
  },
);
