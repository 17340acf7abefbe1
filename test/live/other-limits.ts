/** A primary with a private build of DPDK, which has the release and the SONAMEs of this system's, and other limits. */
import t from 'tap';
import { built } from '../harness/built.js';
import { requirements, runDpcap, startDpcap, startTestpmd } from '../harness/index.js';
import { isInChroot } from '../harness/release.js';

const skip = requirements() || (isInChroot && 'what its primary is given is built on the host only');
const LIMITS: [string, RegExp][] = [
  ['ports', /RTE_MAX_ETHPORTS.* counters for 65536 queues, and that of dpcap for 32768 \(32 ports of 1024\)/],
  ['lcores', /RTE_MAX_LCORE.* mempool \S+ has caches for 256 lcores, and those of dpcap are for 128 lcores/],
];

for (const [limit, message] of LIMITS) {
  t.test(`twice as many ${limit}`, { skip }, async (t) => {
    const env = { LD_PRELOAD: built('other-limits', 'other-limits.so'), DPCAP_TEST_LIMITS: limit };
    const testpmd = await startTestpmd({ vdevs: ['net_null0'], mbufs: 4096, memoryMb: 32, env });
    t.teardown(() => testpmd.stop());
    await testpmd.command('start');
    const before = await testpmd.snapshot();
    const { code, stderr } = await runDpcap(['--file-prefix', testpmd.prefix, '-i', '0', '-c', '1', '-w', '/dev/null']);
    t.equal(code, 1);
    t.match(stderr, message);
    t.match(stderr, /\n {2}build dpcap's addon against the DPDK of the application .*, or build the application with/);
    if (limit === 'ports') {
      const { stdout } = await runDpcap(['list', '--file-prefix', testpmd.prefix]);
      t.match(stdout, message, 'list says it before anybody joins');
      t.match((await runDpcap(['doctor', '--file-prefix', testpmd.prefix])).stdout, message, 'and doctor');
    }
    t.same(await testpmd.snapshot(), before, 'nothing was made in it');
    t.ok(testpmd.alive());
  });
}

t.test('fewer lcores, which EAL itself refuses, once', { skip }, async (t) => {
  const testpmd = await startTestpmd({ vdevs: ['net_null0'], mbufs: 4096, memoryMb: 32 });
  t.teardown(() => testpmd.stop());
  const before = await testpmd.snapshot();
  const env = { LD_PRELOAD: built('other-limits', 'other-limits.so'), DPCAP_TEST_LIMITS: 'fewer lcores' };
  const args = ['--file-prefix', testpmd.prefix, '--log-level', 'debug', '-i', '0', '-c', '1', '-w', '/dev/null'];
  const running = startDpcap(args, { env });
  running.closeStdin();
  const { code, stderr } = await running.wait();
  t.equal(code, 1);
  t.match(stderr, /RTE_MAX_LCORE\): they have no lcore 127, and dpcap's addon was built for 128 lcores/);
  t.match(stderr, /\n {2}build dpcap's addon against the DPDK of the application/);
  t.notMatch(stderr, /trying with other addresses/);
  t.same(await testpmd.snapshot(), before, 'nothing was made in it');
});
