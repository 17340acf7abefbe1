/** What is taken for growth, and what is not. */
import t from 'tap';
import { growthIn, type Sample, sampleOf, thirdsOf } from '../../../scripts/testing/steady.js';

function samples(memory: number[], descriptors = 20, threads = 9): Sample[] {
  return memory.map((memoryMb) => ({ memoryMb, descriptors, threads }));
}

t.test('thirds', async (t) => {
  const [first, ...rest] = samples([50, 80, 90, 100, 101, 99, 100, 102, 101]);
  const thirds = thirdsOf([{ ...(first as Sample), descriptors: 30 }, ...rest]);
  t.same(thirds, { memoryMb: [80, 100, 101], descriptors: [30, 20, 20], threads: [9, 9, 9] });
  t.same(growthIn('x', thirds), [], 'the beginning does not count');
});

t.test('growth', async (t) => {
  const leaking = samples([1, 2, 3, 4, 5, 6, 7, 8, 9].map((more) => 100 + 2 * more));
  t.match(growthIn('engine', thirdsOf(leaking)), [/^engine: memory grows by 6.0 MiB, from 110.0 MiB$/]);
  const open = [...samples([9, 9, 9, 9, 9, 9]), ...samples([9, 9, 9], 21, 10)];
  t.same(growthIn('engine', thirdsOf(open)), [
    'engine: descriptors grow from 20 to 21',
    'engine: threads grow from 9 to 10',
  ]);
});

t.test('a process of ours', async (t) => {
  const { memoryMb, descriptors, threads } = sampleOf(process.pid);
  t.ok(memoryMb > 10 && descriptors > 2 && threads > 1);
});
