/** `dpcap agent` tells where the agent's library is, and which processes have it. */
import { type AgentAt, findAgents } from '../../agent/find.js';
import { agentLibraries, agentLibrary } from '../../agent/library.js';
import { DpcapError, UsageError } from '../../errors.js';
import { type HostAddon, hostAddon, pdumpAddons, type Release } from '../../native/addons.js';
import type { AgentCapture } from '../../native/agent-binding.js';
import { checked } from '../../native/errors.js';
import { findPrimaries } from '../../primary/discover.js';
import { systemHost } from '../../primary/host.js';
import { runtimeRoot } from '../../primary/runtime-dir.js';
import { readProcess } from '../../system/process.js';
import { alignRows } from '../../text/table.js';
import type { RegisterCommand } from '../command.js';

export const registerAgent: RegisterCommand = (program, context) => {
  const agent = program.command('agent').description('Work with the agent: dpcap inside an application.');
  agent
    .command('path')
    .description('Print the file to load into an application, with -d or LD_PRELOAD.')
    .option('--for <pid>', "Print the file for this primary's release of DPDK. Default: for this system's.")
    .option('--all', 'Print the files for all releases that are here.')
    .action((options: { for?: string; all?: boolean }) => {
      process.stdout.write(`${paths(options).join('\n')}\n`);
    });
  agent
    .command('check')
    .description('Tell which processes have the agent, or why one does not.')
    .argument('[pid]', 'Process to look at. Default: all that have an agent.')
    .action((pid: string | undefined) => {
      const { text, hasAll } = check(findAgents(runtimeRoot()), pid === undefined ? undefined : toPid(pid));
      process.stdout.write(`${text}\n`);
      if (!hasAll) context.exitCode = 1;
    });
};

function toPid(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new UsageError(`${text} is not a process id`, { subject: text, hint: 'dpcap list shows the processes' });
}

/** @throws DpcapError ERR_PRIMARY_ABSENT, ERR_VERSION_MISMATCH, ERR_ADDON_LOAD */
function paths({ for: pid, all }: { for?: string; all?: boolean }): string[] {
  if (pid !== undefined) return [agentLibrary(releaseOf(toPid(pid)))];
  const here = agentLibraries();
  if (here.length === 0) {
    throw new DpcapError('ERR_ADDON_LOAD', 'there is no agent here', {
      hint: 'install a package of dpcap, or build it: npm run build:native',
    });
  }
  if (all || here.length === 1) return here.map(({ path }) => path);
  const installed = pdumpAddons().flatMap(({ addon }) => (addon instanceof DpcapError ? [] : [addon]));
  const [only] = installed;
  if (only && installed.length === 1) {
    return [agentLibrary({ number: only.dpdkVersionNumber, text: only.dpdkVersion })];
  }
  throw new UsageError('it is not clear for which release of DPDK', {
    hint: 'give --for PID of a primary, or --all',
  });
}

function releaseOf(pid: number): Release {
  const version = findPrimaries(runtimeRoot(), systemHost()).find((one) => one.pid === pid)?.version;
  if (version) return version;
  throw new DpcapError('ERR_PRIMARY_ABSENT', `process ${pid} is no primary of DPDK that tells its release`, {
    subject: String(pid),
    hint: 'dpcap list shows the primaries; --all prints the files for all releases',
  });
}

/** The answers of the agents that are asked, as text. */
export function check(
  agents: readonly AgentAt[],
  pid: number | undefined,
  addon: Pick<HostAddon, 'agentHello' | 'agentCaptures'> = hostAddon(),
): { text: string; hasAll: boolean } {
  const asked = agents.filter((one) => pid === undefined || one.pid === pid);
  if (asked.length === 0) return { text: missing(pid), hasAll: false };
  const rows = asked.map((agent) => row(agent, addon));
  const head = ['PREFIX', 'PID', 'PROGRAM', 'DPDK', 'PORTS', 'FILTERS', 'CAPTURES', 'STATE'];
  const text = alignRows([head, ...rows]).join('\n');
  return { text, hasAll: rows.every((cells) => cells.at(-1) === 'answers') };
}

function row(
  { filePrefix, pid, process: { program = '-' }, socket }: AgentAt,
  addon: Pick<HostAddon, 'agentHello' | 'agentCaptures'>,
): string[] {
  try {
    const hello = checked(() => addon.agentHello(socket));
    const ports = hello.ports.map(({ id, name }) => `${id} (${name})`).join(', ');
    const filters = hello.hasBpf ? 'librte_bpf' : "the agent's interpreter";
    const captures = checked(() => addon.agentCaptures(socket))
      .map(captureText)
      .join(', ');
    const known = [hello.dpdkVersion, ports || 'none', filters, captures || 'none'];
    return [filePrefix, String(pid), program, ...known, 'answers'];
  } catch (error) {
    return [filePrefix, String(pid), program, '-', '-', '-', '-', (error as Error).message];
  }
}

function captureText({ clientPid, state }: AgentCapture): string {
  return `${clientPid > 0 ? `pid ${clientPid}` : 'unseen'}${state === 'capturing' ? '' : ` (${state})`}`;
}

function missing(pid: number | undefined): string {
  if (pid === undefined) return 'no process has an agent; `dpcap agent path` prints the file to load';
  const info = readProcess(pid);
  if (!info) return `there is no process ${pid}`;
  return `${info.program} (pid ${pid}) has no agent: start it with -d, or LD_PRELOAD, and the file of \`dpcap agent path\``;
}
