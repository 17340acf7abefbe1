/** Asks the agents of an application who they are. */
import { asDpcapError, type DpcapError } from '../errors.js';
import { hostAddon } from '../native/addons.js';
import type { AgentHello } from '../native/agent-binding.js';
import { checked } from '../native/errors.js';
import type { AgentAt } from './find.js';

type Ask = (socket: string) => AgentHello;

export interface Answers<A> {
  asked: { agent: A; hello: AgentHello }[];
  silent: { agent: A; error: DpcapError }[];
}

/** What each process answers, or why it does not. */
export function askEach<A extends Pick<AgentAt, 'socket'>>(
  agents: readonly A[],
  ask: Ask = (socket) => hostAddon().agentHello(socket),
): Answers<A> {
  const answers: Answers<A> = { asked: [], silent: [] };
  for (const agent of agents) {
    try {
      answers.asked.push({ agent, hello: checked(() => ask(agent.socket), 'agent') });
    } catch (error) {
      answers.silent.push({ agent, error: asDpcapError(error) });
    }
  }
  return answers;
}

/**
 * What the processes of one application answer. One that hangs is often the reason why somebody looks: where others answer,
 * it does not stand in their way.
 * @throws DpcapError the first refusal, when no process answers
 */
export function answersOf<A extends Pick<AgentAt, 'socket'>>(agents: readonly A[], ask?: Ask): Answers<A> {
  const answers = askEach(agents, ask);
  const [first] = answers.silent;
  if (answers.asked.length === 0 && first) throw first.error;
  return answers;
}
