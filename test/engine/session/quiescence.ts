import { rmSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { procThreads, type ThreadState, waitForQuiescence } from '../../../src/engine/session/quiescence.js';
import { BLIND } from '../../../src/protocol/messages.js';

const MS = 1_000_000n;
const busy = (cpuNs: bigint, id = '1'): ThreadState => ({ id, cpuNs, isOutside: false });

/** A process whose threads are read in these states, one after the other; the last one stays. */
function scripted(...states: (ThreadState[] | undefined)[]): () => ThreadState[] | undefined {
  let i = 0;
  return () => states[Math.min(i++, states.length - 1)];
}

t.test('a thread in a system call is out of any callback', async (t) => {
  t.equal(await waitForQuiescence(() => [{ id: '1', cpuNs: 0n, isOutside: true }], 1000), undefined);
});

t.test('a polling thread is waited for until it has run', async (t) => {
  const read = scripted([busy(0n)], [busy(0n)], [busy(9n * MS)], [busy(11n * MS)]);
  t.equal(await waitForQuiescence(read, 1000), undefined);
});

t.test('a thread that neither runs nor sleeps forbids freeing', async (t) => {
  t.match(await waitForQuiescence(() => [busy(5n * MS)], 50), /thread 1 of the primary does not run/);
});

t.test('one starved thread among many is enough', async (t) => {
  const read = scripted([busy(0n, '1'), busy(0n, '2')], [busy(20n * MS, '1'), busy(0n, '2')]);
  t.match(await waitForQuiescence(read, 50), /thread 2/);
});

t.test('threads that end are gone', async (t) => {
  t.equal(await waitForQuiescence(scripted([busy(0n)], []), 1000), undefined);
  t.equal(await waitForQuiescence(scripted([busy(0n)], undefined), 50), BLIND, 'threads that become invisible are not');
});

t.test('time alone proves nothing about threads that cannot be seen', async (t) => {
  t.equal(await waitForQuiescence(() => undefined), BLIND);
  t.equal(await waitForQuiescence(() => []), BLIND, 'nor about a process that is hidden');
});

t.test('the time of day is not asked', async (t) => {
  const now = Date.now;
  t.teardown(() => {
    Date.now = now;
  });
  Date.now = () => now() + 3_600_000 * performance.now(); // somebody turns the clock
  t.equal(await waitForQuiescence(scripted([busy(0n)], [busy(0n)], [busy(0n)], [busy(11n * MS)]), 1000), undefined);
});

/** A /proc with one thread, 8, of process 7. */
function fakeProc(t: Test, files: Record<string, string>): string {
  const thread = { schedstat: '123456 7 8\n', stat: '8 (lcore) S) R 1 1', ...files };
  return t.testdir({ self: t.fixture('symlink', String(process.pid)), 7: { task: { 8: thread } } });
}

const isOutside = (proc: string): boolean | undefined => procThreads([7], proc)()?.[0]?.isOutside;

t.test('threads are read from /proc', async (t) => {
  const proc = fakeProc(t, { syscall: 'running\n' });
  t.same(procThreads([7], proc)(), [{ id: '8', cpuNs: 123456n, isOutside: false }]);
  t.same(procThreads([99], proc)(), [], 'a process that is gone has none');
  rmSync(join(proc, '7/task/8/schedstat'));
  t.equal(procThreads([7], proc)(), undefined, 'a kernel that does not tell');
  t.equal(procThreads([7], t.testdir({ self: t.fixture('symlink', '1') }))(), undefined, "another namespace's /proc");
});

t.test('what a thread is in the middle of', async (t) => {
  const sleeping = '8 (lcore) S 1 1';
  t.equal(
    isOutside(fakeProc(t, { stat: sleeping, syscall: '232 0x4 0x7f 0x1 0x7ffe 0x7f0\n' })),
    true,
    'a system call',
  );
  t.equal(isOutside(fakeProc(t, { stat: sleeping, syscall: '-1 0x7ffe 0x52b8\n' })), false, 'frozen at work');
  // Without the right to trace it.
  t.equal(isOutside(fakeProc(t, { stat: sleeping, wchan: 'ep_poll' })), true);
  for (const wchan of ['get_signal', '__refrigerator', 'handle_userfault', '0', ''])
    t.equal(isOutside(fakeProc(t, { stat: sleeping, wchan })), false, `waits in "${wchan}"`);
  t.equal(isOutside(fakeProc(t, { stat: '8 (x) R 1 1', wchan: '0' })), false, 'it runs');
});
