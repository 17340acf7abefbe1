/** Why a process has no agent that answers. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readProcess } from '../system/process.js';

const LIBRARY = /\/libdpcap_agent\.dpdk(\d+)\.so/;
const EAL = /\/librte_eal\.so\.(\d+)/;
const WAY_IN =
  'start it with -d, or LD_PRELOAD, and the file of `dpcap agent path`, or bring it in while it runs: `dpcap agent inject`';

/** One sentence about a process without a socket of an agent. */
export function whyNoAgent(pid: number, procDir = '/proc'): string {
  const info = readProcess(pid, procDir);
  if (!info) return `there is no process ${pid}`;
  const who = `${info.program} (pid ${pid})`;
  const maps = readMaps(pid, procDir);
  if (maps === undefined) return `${who} cannot be looked at: run dpcap as root, or as its user`;
  const [, agent] = LIBRARY.exec(maps) ?? [];
  const [, eal] = EAL.exec(maps) ?? [];
  if (agent === undefined) return `${who} has no agent: ${WAY_IN}`;
  if (eal !== undefined && eal !== agent) {
    return `${who} has the agent for another line of releases (${agent}, not ${eal}), which does nothing there: ${WAY_IN}`;
  }
  const silent = `${who} has the agent's library, which does not serve anybody: its EAL is not set up, or`;
  if (eal === undefined)
    return `${silent} DPDK is in the program itself, which does not export it (-Wl,--export-dynamic)`;
  return `${silent} it said why on standard error`;
}

/** The number in the name of the DPDK library that a process has loaded; undefined where that cannot be seen. */
export function loadedAbi(pid: number, procDir = '/proc'): number | undefined {
  const [, abi] = EAL.exec(readMaps(pid, procDir) ?? '') ?? [];
  return abi === undefined ? undefined : Number(abi);
}

function readMaps(pid: number, procDir: string): string | undefined {
  try {
    return readFileSync(join(procDir, String(pid), 'maps'), 'latin1');
  } catch {
    return undefined;
  }
}
