/** A primary that dies during a capture can be started again at once, whatever becomes of the capture. */
import { mkdtempSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import {
  atExit,
  balances,
  type Captured,
  enginePid,
  LiveCapture,
  requirements,
  run,
  startCapture,
  startDpcap,
  startDpcapInPidNamespace,
  startTestpmd,
  type Testpmd,
  uniqueName,
} from '../harness/index.js';

const skip = requirements({ hugepagesMb: 256 });
const RESTARTS = 10;
const VDEVS = ['net_null0'];

async function capturing(testpmd: Testpmd, file: string): Promise<LiveCapture> {
  const running = startCapture(testpmd, ['-i', '0', '-s', '64', '-w', file]);
  await running.written(1);
  return running;
}

/** Or it would outlive a test that fails. */
function resume(engine: number): void {
  try {
    process.kill(engine, 'SIGCONT');
  } catch {
    // it has ended, as it should
  }
}

/** A primary at work. */
async function forwarding(prefix: string, eal: string[] = []): Promise<Testpmd> {
  const testpmd = await startTestpmd({ vdevs: VDEVS, prefix, eal });
  await testpmd.command('start');
  return testpmd;
}

function endedWithPrimary(t: Test, captured: Captured, file: string): void {
  balances(t, captured, 1);
  t.match(captured.messages, /the primary process exited/);
  rmSync(file); // tens of megabytes
}

/** Kills it during a capture and starts it again at once, time and again. */
async function restarts(t: Test, rounds: number, eal: string[] = []): Promise<void> {
  const prefix = uniqueName();
  const folder = t.testdir();
  let testpmd = await forwarding(prefix, eal);
  t.teardown(() => testpmd.stop());
  for (let round = 0; round < rounds; round++) {
    const file = join(folder, `${round}.pcap`);
    const running = await capturing(testpmd, file);
    await testpmd.kill('SIGKILL', { keepFiles: true });
    testpmd = await forwarding(prefix, eal); // rejects when EAL does not come up
    endedWithPrimary(t, await running.ended(), file);
  }
}

t.test('the next primary starts at the first try', { skip }, (t) => restarts(t, RESTARTS));

t.test('also where its pages are in few files', { skip }, (t) => restarts(t, 2, ['--single-file-segments']));

t.test('also where the engine cannot see its process', { skip }, async (t) => {
  const prefix = uniqueName();
  let testpmd = await forwarding(prefix);
  t.teardown(() => testpmd.stop());
  const words = [
    '--file-prefix',
    prefix,
    '--stats',
    'ndjson',
    '-B',
    '16384',
    '-i',
    '0',
    '-w',
    '/dev/null',
    '--trust-mempools',
  ];
  const running = new LiveCapture(startDpcapInPidNamespace(words));
  await running.written(1);
  await testpmd.kill('SIGKILL', { keepFiles: true });
  testpmd = await forwarding(prefix);
  const captured = await running.ended();
  balances(t, captured, 1);
  t.match(captured.messages, /the primary process exited/);
});

t.test('also when it needs the huge pages that the capture drew on', { skip }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'dpcap-pages-'));
  run('mount', ['-t', 'hugetlbfs', '-o', 'pagesize=2M,size=100M', 'none', folder]);
  const forget = atExit(() => {
    run('umount', [folder]);
    rmdirSync(folder);
  });
  await t.test('restarts', (t) => restarts(t, 2, ['--huge-dir', folder]));
  run('umount', [folder]);
  rmdirSync(folder);
  forget();
});

t.test('also while memory is being taken', { skip }, async (t) => {
  const prefix = uniqueName();
  let testpmd = await forwarding(prefix);
  t.teardown(() => testpmd.stop());
  const words = ['--file-prefix', prefix, '--stats', 'ndjson', '--stats-interval', '0.1', '-i', '0', '-w', '/dev/null'];
  // In the middle of a piece until the output is about to be finished.
  const env = { DPCAP_FAULT: 'pool.piece@20=sleep:2000,left=sleep:3000' };
  const running = new LiveCapture(startDpcap(words, { env }));
  await running.written(1);
  await testpmd.kill('SIGKILL', { keepFiles: true });
  testpmd = await forwarding(prefix);
  const captured = await running.ended();
  balances(t, captured, 1);
  t.match(captured.messages, /the primary process exited/);
});

t.test('also while the engine was stopped', { skip }, async (t) => {
  const prefix = uniqueName();
  const file = join(t.testdir(), 'x.pcap');
  let testpmd = await forwarding(prefix);
  t.teardown(() => testpmd.stop());
  const running = await capturing(testpmd, file);
  const engine = enginePid(running.pid);
  process.kill(engine, 'SIGSTOP');
  t.teardown(() => resume(engine));
  await testpmd.kill('SIGKILL', { keepFiles: true });
  testpmd = await forwarding(prefix);
  endedWithPrimary(t, await running.ended(), file);
});
