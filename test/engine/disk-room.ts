import t from 'tap';
import type { CaptureEnd } from '../../src/engine/capture-end.js';
import { DiskRoom, pauseMs } from '../../src/engine/disk-room.js';

/** Asks a disk that gives these answers, one after another, until the end. */
function endOf(minFree: number, answers: (number | Error)[]): Promise<CaptureEnd> {
  const next = (): Promise<number> => {
    const answer = answers.shift() ?? new Error('the test has no more answers');
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  };
  return new Promise((resolve) => new DiskRoom(minFree, next, resolve).begin());
}

t.test('the less room, the sooner the disk is asked again', async (t) => {
  t.equal(pauseMs(Number.POSITIVE_INFINITY), 500);
  t.equal(pauseMs(10e9), 500);
  t.equal(pauseMs(160e6), 100);
  t.equal(pauseMs(3e6), 10);
  t.equal(pauseMs(0), 10);
  for (const spare of [0, 5e6, 80e6, 300e6, 799e6, 1e9])
    t.ok(pauseMs(spare) * 1e6 <= Math.max(spare, 10e6), `1 GB a second, ${spare} bytes to go: it is asked before`);
});

t.test('a disk is asked until it has too little room', async (t) => {
  const answers = [1200, 1100, 1000, 999, 5];
  t.same(await endOf(1000, answers), { reason: 'disk space' });
  t.same(answers, [5], 'room for exactly so much is enough, and at the end nothing more is asked');
});

t.test('a disk that cannot be asked ends the capture', async (t) => {
  t.match(await endOf(1000, [1200, new Error('no such disk')]), {
    reason: 'sink failed',
    error: { message: /no such disk/ },
  });
});

t.test('an answer after the end is not looked at', async (t) => {
  let answer = (_: number): void => {};
  const asked = new Promise<number>((resolve) => {
    answer = resolve;
  });
  const room = new DiskRoom(
    1000,
    () => asked,
    () => t.fail('the capture has ended already'),
  );
  room.begin();
  room.stop();
  answer(1);
  await asked;
  await new Promise(setImmediate);
});
