import t from 'tap';
import { type Choosable, chooseBox } from '../../src/recorder/choose.js';

const box = (pid: number, isRecording: boolean, uid = 0, program = 'nf'): Choosable => ({
  path: `/b/${pid}`,
  uid,
  facts: { isRecording, pid, program, filePrefix: 'rte', lastNs: 1n },
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

t.test('no box is preferred to that of another user', async (t) => {
  const planted = box(2, true, 1000, 'n\x1bf');
  t.throws(() => chooseBox([box(1, false), planted], undefined), {
    code: 'ERR_RECORDER_AMBIGUOUS',
    message: /different users/,
    hint: /with --box:\n.*pid 1, of user 0\): \/b\/1\n.*n\?f, pid 2, of user 1000\): \/b\/2/,
  });
  t.match(chooseBox([box(1, false), planted], 1), { path: '/b/1' });
});
