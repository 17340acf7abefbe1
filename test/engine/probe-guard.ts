import t from 'tap';
import { ProbeGuard } from '../../src/engine/probe-guard.js';
import { lane } from './helpers/lane.js';

const calls = (made: number, full: number, direction: 'rx' | 'tx' = 'rx') =>
  lane({ direction, queue: 3, calls: BigInt(made), fullCalls: BigInt(full) });

t.test('above the budget for a whole window', async (t) => {
  const guard = new ProbeGuard(50, 4711);
  t.equal(guard.look([calls(0, 0)], 0), undefined);
  t.equal(guard.look([calls(10_000, 10_000)], 900), undefined, 'the window is not over');
  t.match(guard.look([calls(20_000, 11_000)], 1000), {
    reason: 'application busy',
    error: {
      code: 'ERR_PRIMARY_BUSY',
      message: /more than 50 % .* queue 3 of port 0/,
      hint: /dpcap agent inject 4711, .*--probe-budget 100/,
    },
  });
});

t.test('each window counts by itself', async (t) => {
  const guard = new ProbeGuard(50);
  guard.look([calls(1_000_000, 1_000_000)], 0);
  t.equal(guard.look([calls(2_000_000, 1_500_000)], 1000), undefined, 'half of them is the budget');
  t.equal(guard.look([calls(3_000_000, 1_600_000)], 2000), undefined);
  t.match(guard.look([calls(4_000_000, 2_600_000)], 3000), { reason: 'application busy' });
});

t.test('a port misses more than it did', async (t) => {
  const after = (seconds: [received: number, missed: number][], budget = 50) => {
    const told = seconds.map(([received, missed]) => ({ received, missed }));
    const guard = new ProbeGuard(budget, 4711, (port) => (port === 0 ? told.shift() : undefined));
    guard.begin([calls(0, 0), calls(0, 0, 'tx')]);
    const ends = seconds.map((_, second) => guard.look([calls(0, 0)], second * 1000));
    return ends.find((end) => end !== undefined);
  };
  const missing: [number, number][] = [
    [1000, 0],
    [2000, 0],
    [2900, 100],
  ];
  t.match(after(missing), {
    reason: 'application busy',
    error: { code: 'ERR_PRIMARY_BUSY', message: /port 0 missed 10\.0 % of its packets in a second, 0\.0 % before/ },
  });
  t.equal(after(missing, 100), undefined, 'everything is allowed');
  t.equal(
    after([
      [9000, 1000],
      [9900, 1105],
    ]),
    undefined,
    'about as much as before',
  );
  t.equal(
    after([
      [9000, 1000],
      [10, 5],
    ]),
    undefined,
    'its counters were reset',
  );
  t.equal(after([[1, 0]]), undefined, 'it does not answer any more');
});

t.test('a port that is silent for a while is asked again', async (t) => {
  const answers = [{ received: 1000, missed: 0 }, undefined, undefined, { received: 1900, missed: 100 }];
  const notices: string[] = [];
  const guard = new ProbeGuard(
    50,
    4711,
    () => answers.shift(),
    (text) => notices.push(text),
  );
  guard.begin([calls(0, 0, 'tx')]);
  const at = (second: number) => guard.look([calls(0, 0, 'tx')], second * 1000);
  for (const second of [0, 1, 2, 10, 11]) t.equal(at(second), undefined);
  t.match(notices, [/telemetry does not answer: whether port 0 misses more/], 'told once');
  t.equal(answers.length, 1, 'it was left alone in between');
  t.match(at(21), { error: { message: /port 0 missed 10\.0 %/ } }, 'also of a port whose sent packets are captured');
});

t.test('what tells nothing', async (t) => {
  const cases: [name: string, budget: number, after: ReturnType<typeof lane>[]][] = [
    ['too few calls', 50, [calls(99, 99)]],
    ['transmitted packets', 50, [calls(10_000, 10_000, 'tx')]],
    ['everything is allowed', 100, [calls(10_000, 10_000)]],
    ['another backend', 50, [lane()]],
  ];
  for (const [name, budget, after] of cases) {
    const guard = new ProbeGuard(budget);
    guard.look(
      after.map(({ direction }) => lane({ direction })),
      0,
    );
    t.equal(guard.look(after, 5000), undefined, name);
  }
});
