import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { disturbance, readCpuTimes } from '../../bench/cpu-watch.js';

const SELF = 100;

/** CPU time used so far, in ticks of 10 ms: of all that has ever run, and of those that live. */
interface Machine {
  busy: number;
  stolen?: number;
  processes: [pid: number, name: string, parent: number, ticks: number][];
}

function timesOf(t: Test, { busy, stolen = 0, processes }: Machine, seconds: number) {
  const dir = t.testdir();
  writeFileSync(join(dir, 'stat'), `cpu  ${busy} 0 0 99 99 99 99 ${stolen} 0 0\ncpu0 1 1 1 1\n`);
  for (const [pid, name, parent, ticks] of processes) {
    mkdirSync(join(dir, String(pid)));
    const before = 'S '.concat(`${parent} `, '0 '.repeat(9));
    writeFileSync(join(dir, String(pid), 'stat'), `${pid} (${name}) ${before}${ticks} 0 0 0 20 0 1\n`);
  }
  return readCpuTimes(dir, SELF, seconds * 1000);
}

const between = (t: Test, before: Machine, after: Machine): string | undefined =>
  disturbance(timesOf(t, before, 0), timesOf(t, after, 4));

t.test('what the benchmark and its tools use is no disturbance', async (t) => {
  const before: Machine = {
    busy: 1000,
    processes: [
      [SELF, 'node', 50, 100],
      [2, 'kthreadd', 0, 0],
      [7, 'kworker/0:1', 2, 5],
    ],
  };
  const after: Machine = {
    busy: 1820,
    processes: [
      [SELF, 'node', 50, 420],
      [101, 'a tool) S 1', SELF, 380],
      [102, 'its engine', 101, 20],
      [7, 'kworker/0:1', 2, 105],
    ],
  };
  t.equal(between(t, before, after), undefined);
});

t.test('what another process uses is, and it is named', async (t) => {
  const processes = (own: number, orphan: number): Machine['processes'] => [
    [SELF, 'node', 50, own],
    [50, 'shell', 1, 1],
    [77, 'orphan', 1, orphan],
  ];
  const before = { busy: 1000, processes: processes(0, 5000) };
  t.equal(
    between(t, before, { busy: 1700, processes: processes(380, 5320) }),
    'other processes took 80 % of a CPU (orphan 77: 80 %)',
  );
  t.equal(between(t, before, { busy: 1390, processes: processes(380, 5010) }), undefined, 'a little is always there');
  t.equal(
    between(t, before, { busy: 1500, processes: processes(380, 5000) }),
    'other processes took 30 % of a CPU',
    'one that has ended has no name',
  );
});

t.test('what the host takes away is', async (t) => {
  const machine = (stolen: number): Machine => ({ busy: 0, stolen, processes: [[SELF, 'node', 50, 0]] });
  t.equal(between(t, machine(10), machine(50)), 'the host took 10 % of a CPU away');
  t.equal(between(t, machine(10), machine(14)), undefined);
});
