import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { procThreads, type ThreadState, waitForQuiescence } from '../../src/capture/quiesce.js';

const MS = 1_000_000n;
const busy = (cpuNs: bigint, id = '1'): ThreadState => ({ id, cpuNs, sleeping: false });

/** A process whose threads are read in these states, one after the other; the last one stays. */
function scripted(...states: (ThreadState[] | undefined)[]): () => ThreadState[] | undefined {
  let i = 0;
  return () => states[Math.min(i++, states.length - 1)];
}

t.test('a sleeping thread is out of any callback', async (t) => {
  t.equal(await waitForQuiescence(() => [{ id: '1', cpuNs: 0n, sleeping: true }], 1000), true);
});

t.test('a polling thread is waited for until it has run', async (t) => {
  const read = scripted([busy(0n)], [busy(0n)], [busy(9n * MS)], [busy(11n * MS)]);
  t.equal(await waitForQuiescence(read, 1000), true);
});

t.test('a thread that neither runs nor sleeps forbids freeing', async (t) => {
  t.equal(await waitForQuiescence(() => [busy(5n * MS)], 50), false);
});

t.test('one starved thread among many is enough', async (t) => {
  const read = scripted([busy(0n, '1'), busy(0n, '2')], [busy(20n * MS, '1'), busy(0n, '2')]);
  t.equal(await waitForQuiescence(read, 50), false);
});

t.test('threads that end are gone', async (t) => {
  t.equal(await waitForQuiescence(scripted([busy(0n)], []), 1000), true);
  t.equal(await waitForQuiescence(scripted([busy(0n)], undefined), 50), false, 'threads that become invisible are not');
});

t.test('unseen threads are given time', async (t) => {
  t.equal(await waitForQuiescence(() => undefined, 20), true);
});

t.test('threads are read from /proc', async (t) => {
  const proc = t.testdir({});
  const task = join(proc, '7', 'task', '8');
  mkdirSync(task, { recursive: true });
  writeFileSync(join(task, 'schedstat'), '123456 7 8\n');
  writeFileSync(join(task, 'stat'), '8 (lcore) S) R 1 1');
  t.same(procThreads([7], proc)(), [{ id: '8', cpuNs: 123456n, sleeping: false }]);
  writeFileSync(join(task, 'stat'), '8 (x) S 1 1');
  t.equal(procThreads([7], proc)()?.[0]?.sleeping, true);
  t.same(procThreads([99], proc)(), [], 'a process that is gone has none');
  rmSync(join(task, 'schedstat'));
  t.equal(procThreads([7], proc)(), undefined, 'a kernel that does not tell');
});
