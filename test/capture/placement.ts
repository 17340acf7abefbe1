import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { besidePrimary, type Placement } from '../../src/capture/placement.js';

/** A /proc in which we may use CPUs 0 to 3, and process 7 has these threads. */
function proc(t: Test, threads: [state: string, cpus: string][]): string {
  const dir = t.testdir({ self: { status: 'Name:\tdpcap\nCpus_allowed_list:\t0-3\n' } });
  threads.forEach(([state, cpus], id) => {
    const task = join(dir, '7', 'task', String(id));
    mkdirSync(task, { recursive: true });
    writeFileSync(join(task, 'status'), `Name:\tx\nState:\t${state}\nCpus_allowed_list:\t${cpus}\n`);
  });
  return dir;
}

t.test('polling threads keep their CPUs to themselves', async (t) => {
  const threads: [string, string][] = [
    ['S (sleeping)', '0'],
    ['R (running)', '1'],
    ['R (running)', '3'],
    ['R (running)', '0-3'],
  ];
  t.same(besidePrimary(7, { procDir: proc(t, threads), cpuDir: '/nonexistent' }), { cpus: [0, 2], polling: 2 });
});

t.test('without a choice the kernel decides', async (t) => {
  const unknown: Placement = { cpus: [], polling: 0 };
  t.same(besidePrimary(7, { procDir: proc(t, [['S (sleeping)', '1']]) }), unknown, 'nobody polls');
  const all: [string, string][] = ['0', '1', '2', '3'].map((cpu) => ['R (running)', cpu]);
  t.same(besidePrimary(7, { procDir: proc(t, all) }), { cpus: [], polling: 4 }, 'everybody does');
  t.same(besidePrimary(8, { procDir: proc(t, all) }), unknown, 'the primary is gone');
  t.same(besidePrimary(undefined, { procDir: proc(t, all) }), unknown, 'or cannot be seen');
});

t.test('as many CPUs as the threads have use for', async (t) => {
  const cpuDir = t.testdir({ cpu1: { cache: { index3: { shared_cpu_list: '1-5\n' } } } });
  const procDir = join(cpuDir, 'proc');
  mkdirSync(join(procDir, 'self'), { recursive: true });
  writeFileSync(join(procDir, 'self', 'status'), 'Cpus_allowed_list:\t0-15\n');
  mkdirSync(join(procDir, '7', 'task', '7'), { recursive: true });
  writeFileSync(join(procDir, '7', 'task', '7', 'status'), 'State:\tR (running)\nCpus_allowed_list:\t1\n');
  t.same(besidePrimary(7, { procDir, cpuDir }).cpus, [2, 3, 4, 5]);
  t.same(besidePrimary(7, { threads: 2, procDir, cpuDir }).cpus, [2, 3, 4, 5]);
  t.same(besidePrimary(7, { threads: 8, procDir, cpuDir }).cpus.length, 15, 'then near is not enough');
});
