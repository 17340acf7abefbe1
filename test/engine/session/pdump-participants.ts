import t from 'tap';
import {
  askParticipants,
  delayedEnd,
  judgeParticipants,
  type Participant,
} from '../../../src/engine/session/pdump-participants.js';

const one = (pid: number, answers: boolean | 'late', ours = false): Participant => ({
  pid,
  program: ours ? 'node' : 'app',
  ours,
  answers: answers === 'late' ? 'late' : answers ? 'at once' : 'never',
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

t.test('one that answers late is waited for, and nothing is refused for it', async (t) => {
  const known = judgeParticipants([one(7, 'late'), one(9, true)], 4);
  t.match(known, /^app \(pid 7\) answers late: the primary waits for it at each of 4 requests/);
  t.notMatch(known, /rte_pdump_init/);
  t.throws(() => judgeParticipants([one(7, false), one(9, 'late')], 1), { message: /may not ask app \(pid 9\)/ });
});

t.test('whom the end waits for is named, and why it is silent', async (t) => {
  t.equal(delayedEnd([one(7, true)], 8, [7]), undefined);
  t.match(
    delayedEnd([one(7, false), one(8, 'late'), one(9, true)], 16, [7]),
    /^app \(pid 7\) is stopped and app \(pid 8\) does not answer: .* 5 s .* 16 requests to end, up to 80 s; let it go on/,
  );
  t.match(delayedEnd([one(7, false)], 1, []), /; end it to be quicker$/);
});

t.test('each is asked once, and who does not answer at once is named while it is waited for', async (t) => {
  const secondaries = ['quick', 'late', 'never'].map((socket, pid) => ({
    pid,
    program: socket,
    ours: false,
    captures: false,
    lacksPdump: false,
    joinedMs: 0,
    socket,
  }));
  for (const patience of ['late', 'at once'] as const) {
    const asked: string[] = [];
    const answer: Record<string, (answers: boolean) => void> = {};
    const addon = {
      answersPdump: (socket: string) => {
        asked.push(socket);
        return new Promise<boolean>((resolve) => {
          answer[socket] = resolve;
          if (socket === 'quick') resolve(true);
          else if (patience === 'at once') resolve(false);
        });
      },
    };
    const told: string[] = [];
    const participants = await askParticipants(addon, secondaries, patience, (text) => {
      told.push(text);
      answer[text.startsWith('late') ? 'late' : 'never']?.(text.startsWith('late'));
    });
    t.same(asked, ['quick', 'late', 'never']);
    const late = patience === 'late';
    t.match(
      participants.map(({ answers }) => answers),
      ['at once', late ? 'late' : 'never', 'never'],
    );
    t.match(told, late ? [/^late \(pid 1\) does not answer at once; .* 4 s/, /^never \(pid 2\)/] : []);
    t.equal(told.length, late ? 2 : 0);
  }
});
