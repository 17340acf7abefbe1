import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Placement } from '../../src/supervisor/cpu-topology.js';
import { besidePrimary } from '../../src/supervisor/cpus.js';

interface Thread {
  state: string;
  cpus: string;
  name?: string;
  /** Of its life, that it was on a CPU. */
  share?: number;
}

const SLEEPING = 'S (sleeping)';
const RUNNING = 'R (running)';

/** A /proc in which we may use CPUs 0 to 3, and process 7 has these threads, the first one being its main thread. */
function proc(t: Test, threads: (Thread | [state: string, cpus: string])[]): string {
  const dir = t.testdir({ uptime: '1000.00 1\n', self: { status: 'Name:\tdpcap\nCpus_allowed_list:\t0-3\n' } });
  threads
    .map((one) => (Array.isArray(one) ? { state: one[0], cpus: one[1] } : one))
    .forEach(({ state, cpus, name = 'x', share = 0 }: Thread, index) => {
      const task = join(dir, '7', 'task', String(7 + index));
      mkdirSync(task, { recursive: true });
      writeFileSync(join(task, 'status'), `Name:\t${name}\nState:\t${state}\nCpus_allowed_list:\t${cpus}\n`);
      // Started 100 s ago, in ticks of 10 ms.
      const ticks = `${share * 5000} ${share * 5000}`;
      writeFileSync(join(task, 'stat'), `9 (a ) b) S ${'0 '.repeat(10)}${ticks} 0 0 20 0 1 0 90000 0\n`);
    });
  return dir;
}

t.test('polling threads keep their CPUs to themselves', async (t) => {
  const threads: [string, string][] = [
    [SLEEPING, '0'],
    [RUNNING, '1'],
    [RUNNING, '3'],
    [RUNNING, '0-3'],
  ];
  t.same(besidePrimary(7, { procDir: proc(t, threads), cpuDir: '/nonexistent' }), { cpus: [0, 2], polling: 2 });
});

t.test('a thread that ends at this moment says nothing', async (t) => {
  const procDir = proc(t, [[RUNNING, '1']]);
  mkdirSync(join(procDir, '7/task/99'));
  t.same(besidePrimary(7, { procDir, cpuDir: '/nonexistent' }), { cpus: [0, 2, 3], polling: 1 });
});

t.test('so do those that sleep at this moment', async (t) => {
  const beside = (threads: Thread[]) => besidePrimary(7, { procDir: proc(t, threads), cpuDir: '/nonexistent' });
  const main = { state: SLEEPING, cpus: '0', share: 0.9 };
  for (const name of ['lcore-worker-1', 'rte-worker-1', 'dpdk-worker1', 'lcore-slave-1']) {
    t.same(beside([main, { state: SLEEPING, cpus: '1', name }]), { cpus: [0, 2, 3], polling: 1 }, name);
  }
  const quiet = { state: SLEEPING, cpus: '2', name: 'telemetry-v2', share: 0.001 };
  const busy = { state: SLEEPING, cpus: '1', name: 'vpp_wk_0', share: 0.3 };
  t.same(beside([main, busy, quiet]), { cpus: [0, 2, 3], polling: 1 }, 'one with a name of its own');
});

t.test('a thread that runs only for a moment does not poll', async (t) => {
  const lcores = ['1', '2', '3'].map((cpus) => ({ state: RUNNING, cpus, name: `dpdk-worker${cpus}` }));
  const procDir = proc(t, [{ state: RUNNING, cpus: '0' }, ...lcores]);
  let pauses = 0;
  const pause = (): void => {
    if (++pauses === 2) proc(t, [{ state: SLEEPING, cpus: '0' }, ...lcores]);
  };
  t.same(besidePrimary(7, { procDir, cpuDir: '/nonexistent', pause }), { cpus: [0], polling: 3 });
  t.equal(pauses, 2);
});

t.test('the CPU of one that sleeps is better than that of one that polls', async (t) => {
  const workers = ['0', '1', '2', '3'].map((cpus) => {
    return { state: cpus === '2' ? SLEEPING : RUNNING, cpus, name: `dpdk-worker${cpus}` };
  });
  const threads = [{ state: SLEEPING, cpus: '0-3' }, ...workers];
  t.same(besidePrimary(7, { procDir: proc(t, threads), cpuDir: '/nonexistent' }), { cpus: [2], polling: 4 });
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
  writeFileSync(join(procDir, 'uptime'), '1000.00 1\n');
  writeFileSync(join(procDir, 'self', 'status'), 'Cpus_allowed_list:\t0-15\n');
  mkdirSync(join(procDir, '7', 'task', '7'), { recursive: true });
  writeFileSync(join(procDir, '7', 'task', '7', 'stat'), `7 (x) R ${'0 '.repeat(20)}\n`);
  writeFileSync(join(procDir, '7', 'task', '7', 'status'), 'State:\tR (running)\nCpus_allowed_list:\t1\n');
  t.same(besidePrimary(7, { procDir, cpuDir }).cpus, [2, 3, 4, 5]);
  t.same(besidePrimary(7, { threads: 2, procDir, cpuDir }).cpus, [2, 3, 4, 5]);
  t.same(besidePrimary(7, { threads: 8, procDir, cpuDir }).cpus.length, 15, 'then near is not enough');
});
