/** `dpcap agent` tells where the agent's library is, and which processes have it, and brings it into others. */
import { loadedAbi, whyNoAgent } from '../../agent/absence.js';
import { agentOf } from '../../agent/elsewhere.js';
import { type AgentAt, findAgents } from '../../agent/find.js';
import { agentLibraries, agentLibrary, agentLibraryForAbi } from '../../agent/library.js';
import { agentsJson, answers, askAgents, formatAgents } from '../../agent/status.js';
import { DpcapError, UsageError } from '../../errors.js';
import { pdumpAddons } from '../../native/addons.js';
import { findPrimaries } from '../../primary/discover.js';
import { systemHost } from '../../primary/host.js';
import { runtimeRoot } from '../../primary/runtime-dir.js';
import { parsePid } from '../../text/pid.js';
import type { RegisterCommand } from '../command.js';
import { addInject } from './agent/inject.js';

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
    .option('--json', 'Print one JSON document.')
    .action((pid: string | undefined, { json }: { json?: boolean }) => {
      const wanted = pid === undefined ? undefined : parsePid(pid);
      const agents = askAgents(agentsOf(wanted));
      const text = agents.length > 0 ? formatAgents(agents) : missing(wanted);
      process.stdout.write(`${json ? JSON.stringify(agentsJson(agents)) : text}\n`);
      if (agents.length === 0 || !agents.every(answers)) context.exitCode = 1;
    });
  addInject(agent);
};

/** Those of one process, or all that this user's runtime directory shows. */
function agentsOf(pid: number | undefined): AgentAt[] {
  const found = findAgents(runtimeRoot());
  if (pid === undefined) return found;
  const its = found.find((one) => one.pid === pid) ?? agentOf(pid);
  return its ? [its] : [];
}

/** @throws DpcapError ERR_PRIMARY_ABSENT, ERR_VERSION_MISMATCH, ERR_ADDON_LOAD */
function paths({ for: pid, all }: { for?: string; all?: boolean }): string[] {
  if (pid !== undefined) return [libraryFor(parsePid(pid))];
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

/** A primary's own files tell its release; one that has none (--in-memory) has loaded a library with a number. */
function libraryFor(pid: number): string {
  const version = findPrimaries(runtimeRoot(), systemHost()).find((one) => one.pid === pid)?.version;
  if (version) return agentLibrary(version);
  const abi = loadedAbi(pid);
  if (abi !== undefined) return agentLibraryForAbi(abi);
  throw new DpcapError('ERR_PRIMARY_ABSENT', `process ${pid} does not tell its release of DPDK`, {
    subject: String(pid),
    hint: 'dpcap list shows the primaries; --all prints the files for all releases',
  });
}

function missing(pid: number | undefined): string {
  return pid === undefined ? 'no process has an agent; `dpcap agent path` prints the file to load' : whyNoAgent(pid);
}
