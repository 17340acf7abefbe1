import t from 'tap';
import { assignThreads } from '../../src/engine/thread-assignment.js';
import type { LanePlan, SinkPlan } from '../../src/native/capture-binding.js';
import type { StopConditions } from '../../src/protocol/limits.js';
import { mostThreads } from '../../src/supervisor/cpus.js';

/** Both directions of each queue of two ports. */
const lanesOf = (queues: number): LanePlan[] =>
  [0, 1].flatMap((port) =>
    (['rx', 'tx'] as const).flatMap((direction) =>
      Array.from({ length: queues }, (_, queue) => ({
        device: `net_null${port}`,
        port,
        queue,
        direction,
        interface: port,
      })),
    ),
  );

const FILE = { kind: 'file', fd: 5 } as const;
const numbers = (count: number): number[] => Array.from({ length: count }, (_, number) => number);
type Needs = Partial<StopConditions> & { threads?: number };
const threads = (queues: number, free: number, needs: Needs = {}, polling = 16): number => {
  const wanted = { threads: undefined, packetLimit: 0, byteLimit: 0, ...needs };
  return assignThreads(lanesOf(queues), FILE, mostThreads({ cpus: numbers(free), polling }, wanted)).threads;
};

t.test('as many as queues and CPUs allow', async (t) => {
  t.equal(threads(1, 1), 1);
  t.equal(threads(1, 3), 1, 'the merging one and the writer need a CPU each');
  t.equal(threads(1, 4), 2);
  t.equal(threads(1, 64), 2, 'a queue is not divided');
  t.equal(threads(8, 5), 3);
  t.equal(threads(8, 64), 3);
  t.equal(threads(8, 64, {}, 2), 2, 'one for each core of the primary');
  t.equal(threads(8, 0, {}, 0), 1, 'it is not known where they may run');
});

t.test('as many as asked for', async (t) => {
  t.equal(threads(8, 1, { threads: 8 }), 8);
  t.equal(threads(1, 64, { threads: 8 }), 2, 'but no more than there are queues');
  t.equal(threads(8, 64, { threads: 1 }), 1);
});

t.test('who counts sees all of them', async (t) => {
  t.equal(threads(8, 64, { packetLimit: 1 }), 1);
  t.equal(threads(8, 64, { byteLimit: 1 }), 1);
});

t.test('both directions of a queue are in one thread, and every thread has some', async (t) => {
  for (const count of [1, 2, 3, 5]) {
    const { lanes, threads } = assignThreads(lanesOf(4), FILE, count);
    t.equal(lanes.length, 16);
    t.same([...new Set(lanes.map(({ thread }) => thread))].sort(), numbers(threads));
    for (const lane of lanes) {
      const other = lanes.find((l) => l.port === lane.port && l.queue === lane.queue && l.direction !== lane.direction);
      t.equal(lane.thread, other?.thread);
    }
  }
});

t.test('an interface has a thread for each of its queues', async (t) => {
  const queue = { rxFd: 1, txFd: 2 };
  const sink: SinkPlan = { kind: 'frames', queues: [queue, queue, queue], maxRate: 0 };
  const { lanes, threads } = assignThreads(lanesOf(4), sink, 1);
  t.equal(threads, 3);
  for (const { queue, thread } of lanes) t.equal(thread, queue % 3);
});
