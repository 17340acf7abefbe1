import t from 'tap';
import { type Choosable, chooseBox } from '../../src/recorder/choose.js';

const box = (pid: number, isRecording: boolean): Choosable => ({
  path: `/b/${pid}`,
  facts: { isRecording, pid, program: 'nf', filePrefix: 'rte', lastNs: 1n },
});

t.test('the box that is meant', async (t) => {
  t.match(chooseBox([box(1, false)], undefined), { path: '/b/1' });
  t.match(chooseBox([box(1, false), box(2, true), box(3, false)], undefined), { path: '/b/2' }, 'the living one');
  t.match(chooseBox([box(1, false), box(2, true), box(3, false)], 3), { path: '/b/3' });
  t.throws(() => chooseBox([], undefined), { code: 'ERR_RECORDER_ABSENT' });
  t.throws(() => chooseBox([box(1, true)], 2), { code: 'ERR_RECORDER_ABSENT', subject: '2' });
  t.throws(() => chooseBox([box(1, false), box(2, false)], undefined), {
    code: 'ERR_RECORDER_AMBIGUOUS',
    hint: /pid 1\): \/b\/1\n.*pid 2\): \/b\/2/,
  });
  t.throws(() => chooseBox([box(1, true), box(2, true), box(3, false)], undefined), { message: /there are 2/ });
});
