import t, { type Test } from 'tap';
import { nearbyCpus, parseCpuList } from '../../src/supervisor/cpu-topology.js';

type Fixture = NonNullable<Parameters<Test['testdir']>[0]>;

/** A /sys/devices/system/cpu: two sockets of 8 cores with two threads each, four cores to a cache. */
function machine(t: Test): string {
  const cpus: Fixture = {};
  for (let cpu = 0; cpu < 32; cpu++) {
    const core = cpu % 16;
    const cache = core - (core % 4);
    const socket = core - (core % 8);
    cpus[`cpu${cpu}`] = {
      topology: {
        thread_siblings_list: `${core},${core + 16}\n`,
        core_siblings_list: `${socket}-${socket + 7},${socket + 16}-${socket + 23}\n`,
      },
      cache: { index3: { shared_cpu_list: `${cache}-${cache + 3},${cache + 16}-${cache + 19}\n` } },
    };
  }
  return t.testdir(cpus);
}

const range = (first: number, last: number): number[] => Array.from({ length: last - first + 1 }, (_, i) => first + i);
const without = (all: number[], ...some: number[]): number[] => all.filter((cpu) => !some.includes(cpu));

t.test('threads go where a cache is shared, and not onto the second halves of polling cores', async (t) => {
  const all = range(0, 31);
  t.same(nearbyCpus(without(all, 5), [5], 3, machine(t)), [4, 6, 7, 20, 22, 23]);
  t.same(nearbyCpus(without(all, 5, 12), [5, 12], 4, machine(t)), [4, 6, 7, 13, 14, 15, 20, 22, 23, 29, 30, 31]);
});

t.test('where these are too few, in the same socket, or anywhere', async (t) => {
  t.same(nearbyCpus([6, 7, 0, 1, 8], [5], 3, machine(t)), [6, 7, 0, 1], 'two are not enough');
  t.same(nearbyCpus([6, 8, 9, 21], [5], 3, machine(t)), [6, 8, 9]);
  t.same(nearbyCpus([21], [5], 3, machine(t)), [21], 'better the same core than none');
  t.same(nearbyCpus([], [5], 3, machine(t)), []);
});

t.test('what the kernel does not tell makes no difference', async (t) => {
  t.same(nearbyCpus([0, 2], [1], 3, t.testdir({})), [0, 2]);
  t.same(nearbyCpus([0, 2], [1], 3, t.testdir({ cpu1: { topology: { thread_siblings_list: 'x-,\n' } } })), [0, 2]);
});

t.test("the kernel's lists of CPUs", async (t) => {
  t.same(parseCpuList('0-2,5'), [0, 1, 2, 5]);
  t.same(parseCpuList('7'), [7]);
  t.same(parseCpuList(''), []);
});
