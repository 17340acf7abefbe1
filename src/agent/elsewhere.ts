/** Finds the agent of a process whose runtime directory is not below dpcap's own: another user's, or in a container. */
import { basename, dirname } from 'node:path';
import { readProcess } from '../system/process.js';
import type { AgentAt } from './find.js';
import { lookAtTarget } from './inject/facts.js';
import { askAgentOf } from './inject/sockets.js';

/** Undefined when no agent of this process answers. */
export function agentOf(pid: number): AgentAt | undefined {
  const where = lookAtTarget(pid)?.where;
  const socket = where && askAgentOf(where)?.socket;
  const process = readProcess(pid);
  if (!socket || !process) return undefined;
  const runtimeDir = dirname(socket);
  return { filePrefix: basename(runtimeDir), runtimeDir, socket, pid, process };
}
