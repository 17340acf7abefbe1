import t from 'tap';
import { judgeParticipants, type Participant } from '../../../src/engine/session/pdump-participants.js';

const one = (pid: number, answers: boolean, ours = false): Participant => ({
  pid,
  program: ours ? 'node' : 'app',
  ours,
  answers,
});

t.test('all take part, or there is nobody', async (t) => {
  t.equal(judgeParticipants([], 2), undefined);
  t.equal(judgeParticipants([one(7, true), one(8, true, true)], 2), undefined);
});

t.test('one that does not answer is named, with what it costs', async (t) => {
  t.match(
    judgeParticipants([one(7, false), one(8, true, true)], 4),
    /app \(pid 7\) has not called .* 20 s until packets are captured, and 20 s at the end; end it/,
  );
});

t.test('a capture that may miss packets is refused', async (t) => {
  t.throws(() => judgeParticipants([one(7, false), one(9, true)], 1), {
    code: 'ERR_SECONDARY_STOPPED',
    message: /app \(pid 7\) .* may not ask app \(pid 9\) for its packets/,
    hint: /end app \(pid 7\)/,
  });
});
