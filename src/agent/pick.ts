/** Chooses the application to capture from, and the backend: its agent or pdump. */
import { DpcapError } from '../errors.js';
import { hostAddon } from '../native/addons.js';
import type { AgentHello } from '../native/agent-binding.js';
import { checked } from '../native/errors.js';
import { choosePrimary } from '../primary/choose.js';
import { versionFromText } from '../primary/config-file.js';
import { findPrimaries } from '../primary/discover.js';
import { systemHost } from '../primary/host.js';
import { largestFrame, type PickedPrimary, pickPrimary } from '../primary/pick.js';
import { checkPrefix, runtimeRoot } from '../primary/runtime-dir.js';
import type { PortInfo } from '../primary/telemetry.js';
import type { Backend } from '../protocol/request.js';
import { type AgentAt, asPrimary, findAgents } from './find.js';

/**
 * The application to capture from, and through which backend.
 * @throws DpcapError as choosePrimary(), pickPrimary() and AgentBinding.agentHello()
 */
export function pickSource(filePrefix: string | undefined, via: Backend): PickedPrimary {
  if (via === 'pdump') return pickPrimary(filePrefix);
  if (filePrefix !== undefined) checkPrefix(filePrefix);
  const agents = findAgents(runtimeRoot(), filePrefix);
  if (via === 'agent') return ask(only(agents, filePrefix), agents);
  if (agents.length === 0) return pickPrimary(filePrefix);
  // An application with an agent counts as one that can be joined, also where nobody can. Where a primary has none and
  // a secondary of its has one, the primary is meant.
  const others = findPrimaries(runtimeRoot(), systemHost()).filter(({ pid }) => !agents.some((one) => one.pid === pid));
  const chosen = choosePrimary([...others, ...agents.map(asPrimary)], filePrefix);
  const agent = agents.find(({ pid }) => pid === chosen.pid);
  return agent ? ask(agent, agents) : pickPrimary(filePrefix);
}

/** The agent of what was found; of several processes with one prefix, the first: it is the primary unless process ids have
 * gone round. */
function only(agents: readonly AgentAt[], filePrefix: string | undefined): AgentAt {
  const [first] = agents;
  if (!first) throw absent(filePrefix);
  if (agents.some((one) => one.filePrefix !== first.filePrefix)) throw ambiguous(agents);
  return first;
}

function ask(agent: AgentAt, all: readonly AgentAt[]): PickedPrimary {
  const same = all.filter(({ runtimeDir }) => runtimeDir === agent.runtimeDir).length;
  const which = same > 1 ? `, which is one of ${same} processes with that prefix` : '';
  const hello = checked(() => hostAddon().agentHello(agent.socket));
  const version = versionFromText(hello.dpdkVersion) ?? { number: 0, text: hello.dpdkVersion };
  return {
    primary: { ...asPrimary(agent), shared: false },
    dpdk: { ...version, libraries: [] },
    name: `${hello.program}, pid ${agent.pid}, DPDK ${version.text}, through its agent${which}`,
    ports: hello.ports.map(portInfo),
    memory: { isFixed: false },
    maxFrame: largestFrame(hello.ports.map(({ mtu }) => mtu)),
    agent: { socket: agent.socket },
  };
}

function portInfo({ linkMbps, ...port }: AgentHello['ports'][number]): PortInfo {
  const link = linkMbps > 0 ? 'up' : 'down';
  return { ...port, promiscuous: undefined, started: undefined, link, speedMbps: linkMbps || undefined };
}

function absent(filePrefix: string | undefined): DpcapError {
  const about = filePrefix === undefined ? '' : ` with file prefix ${filePrefix}`;
  return new DpcapError('ERR_PRIMARY_ABSENT', `no application${about} has an agent of dpcap`, {
    subject: filePrefix,
    hint: 'start it with -d, or LD_PRELOAD, and the file that `dpcap agent path` prints',
  });
}

function ambiguous(agents: readonly AgentAt[]): DpcapError {
  const names = agents.map((one) => `${one.filePrefix} (${one.process.program}, pid ${one.pid})`).join(', ');
  const hint = `choose one with --file-prefix: ${names}`;
  return new DpcapError('ERR_PRIMARY_AMBIGUOUS', 'several applications have an agent of dpcap', { hint });
}
