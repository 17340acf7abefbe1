/** The socket of the agent in a primary. */
import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { DPDK_RUNTIME_DIR } from './owned.js';

const MOST_MS = 10_000;

/** Whether a process has, or had, an agent that listens. */
export function hasAgentSocket(prefix: string, pid: number, root = DPDK_RUNTIME_DIR): boolean {
  return existsSync(`${root}/${prefix}/dpcap_agent_${pid}`);
}

/**
 * Resolves when it is there: the agent's thread looks for EAL twice a second at the least.
 * @throws Error when it is not there after some time
 */
export async function agentServes(prefix: string, pid: number, root = DPDK_RUNTIME_DIR): Promise<void> {
  const deadline = Date.now() + MOST_MS;
  while (!hasAgentSocket(prefix, pid, root)) {
    if (Date.now() > deadline) throw new Error(`process ${pid} has no agent that serves`);
    await delay(10);
  }
}
