/** Finds the application that is to mirror, by its agent. */
import { answersOf, askEach } from '../../agent/answers.js';
import { type AgentAt, findAgents } from '../../agent/find.js';
import { agentsOfApplication, mainProcess } from '../../agent/pick.js';
import { DpcapError } from '../../errors.js';
import type { AgentHello } from '../../native/agent-binding.js';
import { runtimeRoot } from '../../primary/runtime-dir.js';
import { findSecondaries } from '../../primary/secondaries.js';

/** An application whose agent can mirror. */
export interface MirroringApplication {
  agent: AgentAt;
  hello: AgentHello;
  /** Further processes that share its ports: what they poll is not mirrored, and what they send is not seen. */
  others: readonly number[];
}

/**
 * The application that is meant: the only one that has an agent, or the one with this file prefix.
 * @throws DpcapError ERR_PRIMARY_ABSENT and ERR_PRIMARY_AMBIGUOUS; ERR_VERSION_MISMATCH when its agent cannot mirror; and as
 *   AgentBinding.agentHello()
 */
export function mirroringApplication(filePrefix: string | undefined): MirroringApplication {
  const agents = agentsOfApplication(filePrefix);
  const { asked, silent } = answersOf(agents);
  mainProcess(asked);
  const main = asked.find(({ hello }) => hello.canMirror);
  if (main) return { ...main, others: othersOf(main.agent, agents) };
  if (silent[0]) throw silent[0].error; // it may be the one that can
  const [first] = asked;
  throw new DpcapError(
    'ERR_VERSION_MISMATCH',
    `the agent in ${first?.hello.program} (pid ${first?.agent.pid}) cannot mirror`,
    {
      subject: filePrefix,
      hint: first?.hello.isPrimary
        ? 'restart the application with the agent of this dpcap (`dpcap agent path`); linked statically, it has to export all of DPDK (--export-dynamic)'
        : 'give the agent to the primary as well: it is the primary whose ports are mirrored',
    },
  );
}

/** Processes that have joined it to capture send nothing. */
function othersOf({ runtimeDir, pid: own }: AgentAt, agents: readonly AgentAt[]): number[] {
  const joined = findSecondaries(runtimeDir).filter(({ captures }) => !captures);
  const pids = new Set([...agents, ...joined].map(({ pid }) => pid));
  return [...pids].filter((pid) => pid !== own).sort((a, b) => a - b);
}

/** All agents that answer, of one application or of all. */
export function answeringAgents(filePrefix: string | undefined): { agent: AgentAt; hello: AgentHello }[] {
  // One that does not has just ended, or is another user's: `dpcap agent check` says which.
  return askEach(findAgents(runtimeRoot(), filePrefix)).asked;
}
