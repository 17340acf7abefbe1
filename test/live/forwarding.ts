/** From DPDK 25.11 on the primary passes each request on to its secondaries: who does not answer is named, and waited for. */
import t from 'tap';
import { FORWARDING_RELEASE } from '../../src/native/releases.js';
import {
  isUnharmed,
  remember,
  requirements,
  runDpcap,
  startCapture,
  startTestpmd,
  type Testpmd,
} from '../harness/index.js';
import { startSecondary } from '../harness/secondary.js';
import { installedDpdk } from '../helpers/native.js';

const skip =
  requirements({ hugepagesMb: 256 }) ||
  (installedDpdk().number < FORWARDING_RELEASE && 'this release of DPDK asks its secondaries nothing');
/** Two of the primary's waits, and what a capture takes by itself. */
const SLOW_MS = 40_000;

async function forwarding(t: import('tap').Test, queues = 1): Promise<Testpmd> {
  const testpmd = await startTestpmd({
    vdevs: ['net_null0', 'net_null1'],
    args: [`--rxq=${queues}`, `--txq=${queues}`],
  });
  t.teardown(() => testpmd.stop());
  await testpmd.command('start');
  return testpmd;
}

const short = (testpmd: Testpmd): string[] => [
  '--file-prefix',
  testpmd.prefix,
  '-i',
  '0',
  '-Q',
  'rx',
  '-c',
  '100',
  '-w',
  '/dev/null',
];

t.test('one that takes part is not waited for', { skip }, async (t) => {
  const testpmd = await forwarding(t);
  const secondary = await startSecondary(t, testpmd, ['pdump']);
  const before = await remember(testpmd);
  // It has other drivers than testpmd, and so numbers the handlers of mempools otherwise; but it polls nothing.
  const refused = await runDpcap(short(testpmd));
  t.match(refused, { code: 1, stderr: `(pid ${secondary.pid}), which would copy packets for dpcap` });
  await isUnharmed(t, testpmd, before, 'refused');
  const captured = await runDpcap([...short(testpmd), '--trust-mempools']);
  t.match(captured, { code: 0 });
  t.notMatch(captured.stderr, /rte_pdump_init/);
  await isUnharmed(t, testpmd, before, 'beside one that takes part');
  await secondary.close();
});

t.test('one that does not is named, and the capture is had', { skip }, async (t) => {
  const testpmd = await forwarding(t);
  const secondary = await startSecondary(t, testpmd);
  const before = await remember(testpmd);
  const captured = await runDpcap(short(testpmd), SLOW_MS);
  t.match(captured, { code: 0 });
  t.match(captured.stderr, new RegExp(`dpdk-secondary \\(pid ${secondary.pid}\\) has not called rte_pdump_init`));
  t.match(captured.stderr, /100 packets captured/);
  await isUnharmed(t, testpmd, before, 'beside one that never answers');
});

t.test('where packets may be missing, it is refused at once', { skip }, async (t) => {
  const testpmd = await forwarding(t);
  const silent = await startSecondary(t, testpmd);
  const partner = await startSecondary(t, testpmd, ['pdump']);
  const before = await remember(testpmd);
  const refused = await runDpcap(short(testpmd));
  t.match(refused, { code: 1 });
  for (const { pid } of [silent, partner]) t.match(refused.stderr, new RegExp(`\\(pid ${pid}\\)`));
  await isUnharmed(t, testpmd, before, 'refused');
});

t.test('one that stops during the capture delays its end, which says so at once', { skip }, async (t) => {
  const testpmd = await forwarding(t);
  const secondary = await startSecondary(t, testpmd, ['pdump']);
  const before = await remember(testpmd);
  const running = startCapture(testpmd, ['-i', '0', '-B', '16384', '-s', '64', '--trust-mempools', '-w', '/dev/null']);
  await running.started();
  await secondary.stop();
  const isNamed = running.process.expect(
    new RegExp(
      `dpdk-secondary \\(pid ${secondary.pid}\\) is stopped: .* 5 s for it at each of 2 requests to end, up to 10 s`,
    ),
  );
  const ended = running.stop();
  await isNamed;
  t.ok(running.process.alive(), 'it is named while it is waited for');
  t.match(await ended, { code: 1, stderr: /something of the capture is left in the primary/ });
  secondary.continue();
  t.match(await runDpcap(['recover', '--file-prefix', testpmd.prefix], SLOW_MS), { code: 0 });
  await isUnharmed(t, testpmd, before, 'stopped meanwhile');
});

t.test('eight queues, both directions: no request waits for anybody', { skip }, async (t) => {
  const testpmd = await forwarding(t, 8);
  const secondary = await startSecondary(t, testpmd, ['pdump']);
  const began = performance.now();
  const words = ['--file-prefix', testpmd.prefix, '-i', '0', '-c', '100', '--trust-mempools', '-w', '/dev/null'];
  const captured = await runDpcap(words);
  t.match(captured, { code: 0 });
  t.match(captured.stderr, /100 packets captured/);
  t.notMatch(captured.stderr, new RegExp(`pid ${secondary.pid}`), 'whoever is waited for is named');
  t.comment(`up and down again in ${Math.round(performance.now() - began)} ms`);
});
