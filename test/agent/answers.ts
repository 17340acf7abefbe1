import t from 'tap';
import { answersOf } from '../../src/agent/answers.js';
import type { AgentHello } from '../../src/native/agent-binding.js';

const agents = ['a', 'b', 'c'].map((socket) => ({ socket }));

function refused(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

t.test('a process that hangs does not stand in the way of others', async (t) => {
  const { asked, silent } = answersOf(agents, (socket) => {
    if (socket === 'b') throw refused('ERR_PRIMARY_TIMEOUT', 'the agent does not answer');
    return { program: socket } as AgentHello;
  });
  t.match(asked, [{ agent: { socket: 'a' }, hello: { program: 'a' } }, { agent: { socket: 'c' } }]);
  t.match(silent, [
    { agent: { socket: 'b' }, error: { code: 'ERR_PRIMARY_TIMEOUT', message: 'the agent does not answer' } },
  ]);
});

t.test('where none answers, the first says why', async (t) => {
  const none = (socket: string): never => {
    throw refused('ERR_PRIMARY_TIMEOUT', `no answer from ${socket}`);
  };
  t.throws(() => answersOf(agents, none), { code: 'ERR_PRIMARY_TIMEOUT', message: /from a/ });
  t.same(answersOf([], none), { asked: [], silent: [] });
});
