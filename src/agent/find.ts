/** Finds agents by their sockets in DPDK's runtime directories. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { hostAddon } from '../native/addons.js';
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

/** The pid is the one in the process's own PID namespace; further ones with the same pid have a number behind it. */
const SOCKET = /^dpcap_agent_(\d+)(?:_\d+)?$/;

/**
 * The agents below a runtime root whose processes are alive, by file prefix and pid. A process that was killed leaves its
 * socket behind, whose pid another process may have by now: nobody listens there. Directories of users who are neither
 * root, nor dpcap's user, nor the process's are left out.
 * @param root see runtimeRoot()
 * @param wanted look at this file prefix alone: applications that crashed for years leave thousands of directories
 * @param listener the process that listens at a socket, by the kernel's word: 0 for one that is not known from here, and is
 *   taken for the one of its name; undefined where nobody listens
 */
export function findAgents(
  root: string,
  wanted?: string,
  procDir = '/proc',
  listener = (socket: string) => hostAddon().agentListener(socket),
): AgentAt[] {
  return (wanted === undefined ? namesIn(root) : [wanted]).flatMap((filePrefix) => {
    const runtimeDir = join(root, filePrefix);
    return namesIn(runtimeDir).flatMap((name) => {
      const named = Number(SOCKET.exec(name)?.[1] ?? 0);
      const socket = join(runtimeDir, name);
      const listening = named > 0 ? listener(socket) : undefined;
      if (listening === undefined) return [];
      const pid = listening || named;
      const process = readProcess(pid, procDir);
      return process && isTrusted(runtimeDir, process) ? [{ filePrefix, runtimeDir, socket, pid, process }] : [];
    });
  });
}

/** Whether nobody else can have made the sockets of a directory. Root looks into everybody's, and trusts the process's user. */
function isTrusted(directory: string, { uid }: ProcessInfo): boolean {
  const own = process.geteuid?.() ?? 0;
  const owner = statSync(directory, { throwIfNoEntry: false })?.uid;
  return owner === 0 || owner === own || (own === 0 && owner === uid);
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
