/** A thread of the primary that is halted in the middle of a callback: nothing it may still use is freed. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  balances,
  canFreezeThreads,
  freezeThread,
  isForwarding,
  isUnharmed,
  remember,
  requirements,
  runDpcap,
  startCapture,
  underLoad,
} from '../harness/index.js';

const skip = requirements() || (!canFreezeThreads() && 'no cgroup2 freezer here');

/** The thread that forwards: DPDK names those of worker lcores so. */
function workerOf(pid: number): number {
  const tasks = `/proc/${pid}/task`;
  const isWorker = (id: string): boolean => /worker/.test(readFileSync(join(tasks, id, 'comm'), 'utf8'));
  return Number(readdirSync(tasks).find(isWorker));
}

t.test('a thread that the cgroup freezer has halted', { skip }, async (t) => {
  const testpmd = await underLoad(t);
  const before = await remember(testpmd);
  const file = join(t.testdir(), 'x.pcap');
  const running = startCapture(testpmd, ['-i', '0', '-s', '64', '-a', 'filesize:2000000', '-w', file]);
  await running.written(1);
  const thaw = await freezeThread(testpmd.pid, workerOf(testpmd.pid));
  const captured = await running.stop('SIGINT');
  balances(t, captured, 1);
  // From 25.11 on the primary itself waits for a thread that was halted inside the callback, and does not answer.
  t.match(
    captured.messages,
    /(thread \d+ of the primary does not run|does not say whether it is off)[\s\S]*dpcap recover/,
  );
  thaw();
  await isForwarding(t, testpmd, 'thawed');
  const recovered = await runDpcap(['recover', '--file-prefix', testpmd.prefix]);
  t.match(recovered, { code: 0, stdout: /cleared a capture of pid \d+/ });
  await isUnharmed(t, testpmd, before, 'recovered');
  await isForwarding(t, testpmd, 'recovered');
});
