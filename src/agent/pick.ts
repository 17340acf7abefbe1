/** Chooses the application to capture from, and the backend: its agent, pdump, or probes where they are asked for. */
import { pickProbed } from '../ebpf/pick.js';
import { DpcapError } from '../errors.js';
import type { AgentHello } from '../native/agent-binding.js';
import { choosePrimary } from '../primary/choose.js';
import { versionFromText } from '../primary/config-file.js';
import { findPrimaries } from '../primary/discover.js';
import { systemHost } from '../primary/host.js';
import { largestFrame, type PickedPrimary, pickPrimary } from '../primary/pick.js';
import { checkPrefix, runtimeRoot } from '../primary/runtime-dir.js';
import type { PortInfo } from '../primary/telemetry.js';
import type { Backend } from '../protocol/request.js';
import { answersOf } from './answers.js';
import { type AgentAt, asPrimary, findAgents } from './find.js';
import { orNameOtherWays } from './other-ways.js';
import { portsOfAll } from './ports.js';

/**
 * The application to capture from, and through which backend.
 * @throws DpcapError as choosePrimary(), pickPrimary(), pickProbed() and AgentBinding.agentHello()
 */
export function pickSource(filePrefix: string | undefined, via: Backend): PickedPrimary {
  if (via === 'pdump') return pickPrimary(filePrefix);
  if (via === 'agent') return ask(agentsOfApplication(filePrefix));
  if (via === 'ebpf') return pickProbed(filePrefix);
  if (filePrefix !== undefined) checkPrefix(filePrefix);
  const agents = findAgents(runtimeRoot(), filePrefix);
  if (agents.length === 0) return orNameOtherWays(filePrefix, () => pickPrimary(filePrefix));
  // An application with an agent counts as one that can be joined, also where nobody can. Where a primary has none and
  // a secondary of its has one, the primary is meant.
  const others = findPrimaries(runtimeRoot(), systemHost()).filter(({ pid }) => !agents.some((one) => one.pid === pid));
  const chosen = choosePrimary([...others, ...agents.map(asPrimary)], filePrefix);
  const own = agents.filter(({ runtimeDir }) => runtimeDir === chosen.runtimeDir);
  return own.some(({ pid }) => pid === chosen.pid)
    ? ask(own)
    : orNameOtherWays(filePrefix, () => pickPrimary(filePrefix));
}

/**
 * The agents of the one application that is meant.
 * @throws DpcapError ERR_PRIMARY_ABSENT, ERR_PRIMARY_AMBIGUOUS
 */
export function agentsOfApplication(filePrefix: string | undefined): readonly AgentAt[] {
  if (filePrefix !== undefined) checkPrefix(filePrefix);
  return ofOneApplication(findAgents(runtimeRoot(), filePrefix), filePrefix);
}

/** The agents that were found, if they are those of one application. */
function ofOneApplication(agents: readonly AgentAt[], filePrefix: string | undefined): readonly AgentAt[] {
  const [first] = agents;
  if (!first) throw absent(filePrefix);
  if (agents.some((one) => one.filePrefix !== first.filePrefix)) throw ambiguous(agents);
  return agents;
}

/** Asks all processes of an application, which are captured from together. */
function ask(agents: readonly AgentAt[]): PickedPrimary {
  const { asked, silent } = answersOf(agents);
  const main = mainProcess(asked) ?? asked[0];
  if (!main) throw absent(undefined);
  const ports = portsOfAll(asked.map(({ hello }) => hello));
  const version = versionFromText(main.hello.dpdkVersion) ?? { number: 0, text: main.hello.dpdkVersion };
  const others = asked.filter((one) => one !== main).map(({ agent }) => agent.pid);
  const and = others.length > 0 ? ` and of pid ${others.join(', ')}` : '';
  return {
    primary: { ...asPrimary(main.agent), shared: false },
    dpdk: { ...version, libraries: [] },
    name: `${main.hello.program}, pid ${main.agent.pid}, DPDK ${version.text}, through its agent${and}`,
    ports: ports.map(portInfo),
    memory: { isFixed: false },
    maxFrame: largestFrame(ports.map(({ mtu }) => mtu)),
    notes: silent.map(({ agent, error }) => `pid ${agent.pid} is left out: ${error.message}`),
    agent: {
      processes: asked.map(({ agent: { socket, pid, process } }) => {
        return { socket, pid, startTicks: process.startTicks ?? 0 };
      }),
    },
  };
}

interface Asked {
  agent: Pick<AgentAt, 'pid' | 'filePrefix' | 'process'>;
  hello: Pick<AgentHello, 'isPrimary'>;
}

/**
 * The primary among processes of one file prefix. Those with --in-memory share it with each other, though they are
 * applications of their own.
 * @throws DpcapError ERR_PRIMARY_AMBIGUOUS
 */
export function mainProcess<T extends Asked>(asked: readonly T[]): T | undefined {
  const primaries = asked.filter(({ hello }) => hello.isPrimary);
  if (primaries.length > 1) throw severalPrimaries(primaries);
  return primaries[0];
}

function severalPrimaries(primaries: readonly Asked[]): DpcapError {
  const filePrefix = primaries[0]?.agent.filePrefix;
  const names = primaries.map(({ agent }) => `${agent.process.program} (pid ${agent.pid})`).join(' and ');
  return new DpcapError('ERR_PRIMARY_AMBIGUOUS', `${names} are applications with one file prefix, ${filePrefix}`, {
    subject: filePrefix,
    hint: 'start all but one of them with a --file-prefix of its own',
  });
}

function portInfo({ linkMbps, ...port }: AgentHello['ports'][number]): PortInfo {
  const link = linkMbps > 0 ? 'up' : 'down';
  return { ...port, promiscuous: undefined, started: undefined, link, speedMbps: linkMbps || undefined };
}

function absent(filePrefix: string | undefined): DpcapError {
  const about = filePrefix === undefined ? '' : ` with file prefix ${filePrefix}`;
  return new DpcapError('ERR_PRIMARY_ABSENT', `no application${about} has an agent of dpcap`, {
    subject: filePrefix,
    hint:
      'start it with -d, or LD_PRELOAD, and the file that `dpcap agent path` prints, or bring it in while it runs: ' +
      '`dpcap agent inject PID`',
  });
}

function ambiguous(agents: readonly AgentAt[]): DpcapError {
  const names = agents.map((one) => `${one.filePrefix} (${one.process.program}, pid ${one.pid})`).join(', ');
  const hint = `choose one with --file-prefix: ${names}`;
  return new DpcapError('ERR_PRIMARY_AMBIGUOUS', 'several applications have an agent of dpcap', { hint });
}
