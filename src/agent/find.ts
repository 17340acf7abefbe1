/** Finds agents by their sockets in DPDK's runtime directories. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Primary } from '../primary/discover.js';
import { type ProcessInfo, readProcess } from '../system/process.js';

/** A process that has an agent, as far as its socket tells. */
export interface AgentAt {
  filePrefix: string;
  runtimeDir: string;
  socket: string;
  pid: number;
  process: ProcessInfo;
}

const SOCKET = /^dpcap_agent_(\d+)$/;

/**
 * The agents below a runtime root whose processes are alive, by file prefix and pid. A process that was killed leaves its
 * socket behind.
 * @param root see runtimeRoot()
 * @param wanted look at this file prefix alone: applications that crashed for years leave thousands of directories
 */
export function findAgents(root: string, wanted?: string, procDir = '/proc'): AgentAt[] {
  return (wanted === undefined ? namesIn(root) : [wanted]).flatMap((filePrefix) => {
    const runtimeDir = join(root, filePrefix);
    return namesIn(runtimeDir).flatMap((name) => {
      const pid = Number(SOCKET.exec(name)?.[1] ?? 0);
      const process = pid > 0 ? readProcess(pid, procDir) : undefined;
      return process ? [{ filePrefix, runtimeDir, socket: join(runtimeDir, name), pid, process }] : [];
    });
  });
}

/** The process as a primary: one that can be captured from, also where nobody can join it. */
export function asPrimary({ filePrefix, runtimeDir, pid, process }: AgentAt): Primary {
  const state = 'running';
  return { filePrefix, runtimeDir, state, shared: true, pid, process, version: undefined, reason: undefined };
}

/** Adds processes of which nothing but their agent can be seen. */
export function withUnseen(primaries: readonly Primary[], agents: readonly AgentAt[]): Primary[] {
  const unseen = agents.filter((agent) => !primaries.some((one) => one.pid === agent.pid));
  return [...primaries, ...unseen.map(asPrimary)];
}

/** Sorted; empty for a directory that is not there or may not be read: others may be. */
function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch {
    return [];
  }
}
