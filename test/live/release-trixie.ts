/** The DPDK of Debian 13, alone and beside that of this machine. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import t from 'tap';
import { projectFile } from '../../src/system/location.js';
import { runDpcap } from '../harness/processes.js';
import { isInChroot, testRelease } from '../harness/release.js';
import { requirements } from '../harness/requirements.js';
import { startTestpmd, type Testpmd } from '../harness/testpmd.js';

testRelease('trixie');

const CHROOT = projectFile('scripts/release-chroot.sh');
const skip = requirements({ hugepagesMb: 256 }) || (isInChroot && 'this machine is the other one');

/** Captures 1000 packets with the dpcap in the chroot, which shares this machine's runtime directories. */
async function captured({ prefix }: Testpmd): Promise<{ code: number; said: string }> {
  const words = ['--file-prefix', prefix, '-i', '0', '-c', '1000', '-w', '/dev/null'];
  const dpcap = spawn(CHROOT, ['trixie', projectFile('bin/dpcap'), ...words], {
    env: { ...process.env, DPCAP_SHARED_RUN: '1' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  dpcap.stderr.on('data', (text) => (said += text));
  const [code] = await once(dpcap, 'close');
  return { code, said };
}

t.test('two releases on one host, captured from at the same time by the same dpcap', { skip }, async (t) => {
  const vdevs = ['net_null0', 'net_null1'];
  const own = await startTestpmd({ vdevs });
  t.teardown(() => own.stop());
  const within = [CHROOT, 'trixie'];
  const other = await startTestpmd({ vdevs, within, env: { ...process.env, DPCAP_SHARED_RUN: '1' } });
  t.teardown(() => other.stop());
  for (const testpmd of [own, other]) await testpmd.command('start');
  // The libraries of the one are in the chroot; those of the other are the primary's own, through its root directory.
  const [ofOwn, ofOther] = await Promise.all([captured(own), captured(other)]);
  t.match(ofOwn, { code: 0, said: /DPDK 22\.11\.\d+, with its own libraries;.*1000 packets captured/s });
  t.match(ofOther, { code: 0, said: /DPDK 24\.11\.\d+;.*1000 packets captured/s });
});

/** The libraries of Debian 13 are built for version 2.41. */
function hasOlderGlibc(): boolean {
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return Number(header.glibcVersionRuntime?.split('.')[1]) < 41;
}

const skipFit = skip || (!hasOlderGlibc() && 'the C library is new enough here');
t.test('libraries of a primary that need a newer C library than the one here', { skip: skipFit }, async (t) => {
  const within = [CHROOT, 'trixie'];
  const testpmd = await startTestpmd({ vdevs: ['net_null0'], within, env: { DPCAP_SHARED_RUN: '1' } });
  t.teardown(() => testpmd.stop());
  const refused = await runDpcap(['--file-prefix', testpmd.prefix, '-i', '0', '-w', '/dev/null']);
  t.equal(refused.code, 1);
  t.match(refused.stderr, /it runs DPDK 24\.11\.\d+, whose libraries do not fit this system: .*GLIBC_\S+' not found/);
  t.match(refused.stderr, /run dpcap where the primary runs \(nsenter .*\), or give libraries .* --dpdk-libs DIR/);
});
