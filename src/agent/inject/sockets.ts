/** The agent of one process, which may be in other namespaces, and of another user. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type HostAddon, hostAddon } from '../../native/addons.js';
import type { AgentHello } from '../../native/agent-binding.js';
import { attempt } from '../../system/process.js';

/** A process as far as it matters where its agent listens. */
export interface Whereabouts {
  pid: number;
  /** Its pid in its own PID namespace. */
  innerPid: number;
  uid: number;
  /** What to put before the paths that it uses: empty, or /proc/PID/root. */
  root: string;
}

/** An agent that answers, and where. */
export interface AgentOf {
  socket: string;
  hello: AgentHello;
}

/**
 * The folders in which runtime directories of a process may be (eal_create_runtime_dir, 21.11 to 26.07). /var/run is a
 * link that leads out of the root of another process.
 */
export function runtimeRoots({ pid, uid, root }: Whereabouts, procDir = '/proc'): string[] {
  const environment = attempt(() => readFileSync(join(procDir, String(pid), 'environ'), 'latin1')) ?? '';
  const folderIn = (name: string): string[] => {
    const word = environment.split('\0').find((one) => one.startsWith(`${name}=`));
    return word === undefined ? [] : [word.slice(name.length + 1)];
  };
  const system = uid === 0 ? ['/var/run', '/run'] : [];
  const folders = [...folderIn('RUNTIME_DIRECTORY'), ...folderIn('XDG_RUNTIME_DIR'), ...system, '/tmp'];
  return folders.map((folder) => `${root}${join(folder, 'dpdk')}`);
}

/**
 * What the agent of a process says; undefined when none answers. Somebody else may listen under that name: the kernel
 * tells who does.
 */
export function askAgentOf(
  where: Whereabouts,
  addon: Pick<HostAddon, 'agentHello'> = hostAddon(),
  procDir = '/proc',
): AgentOf | undefined {
  for (const folder of runtimeRoots(where, procDir)) {
    for (const prefix of attempt(() => readdirSync(folder)) ?? []) {
      for (const socket of socketsIn(join(folder, prefix), where.innerPid)) {
        const hello = attempt(() => addon.agentHello(socket));
        if (hello?.peerPid === where.pid) return { socket, hello };
      }
    }
  }
  return undefined;
}

/** The sockets that agents of processes with this pid have: in several PID namespaces there may be several. */
function socketsIn(runtimeDir: string, pid: number): string[] {
  const name = new RegExp(`^dpcap_agent_${pid}(_\\d+)?$`);
  const names = attempt(() => readdirSync(runtimeDir)) ?? [];
  return names.filter((one) => name.test(one)).map((one) => join(runtimeDir, one));
}
