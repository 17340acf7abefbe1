/** Gathers the plain facts that `dpcap doctor` looks at; the pure checks beside this file judge them. */
import { accessSync, constants, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type AgentAt, findAgents, withUnseen } from '../agent/find.js';
import { captureCommand } from '../agent/inject/describe.js';
import { examine } from '../agent/inject/inject.js';
import type { Verdict } from '../agent/inject/judge.js';
import { whyNoProbes } from '../ebpf/target.js';
import { asDpcapError, type DpcapError, errnoOf } from '../errors.js';
import { type HostAddon, hostAddon, pdumpAddons } from '../native/addons.js';
import type { AgentHello } from '../native/agent-binding.js';
import { checked } from '../native/errors.js';
import { type Capturability, inspect, type PrimaryFacts } from '../primary/capturable.js';
import { findPrimaries, isAlive, isForeign, type Primary } from '../primary/discover.js';
import { type Host, systemHost } from '../primary/host.js';
import { originAndReason } from '../primary/joining/libraries.js';
import { type OpsReading, readOpsTable } from '../primary/memory/mempool-ops.js';
import { currentUid, ONLY_ROOT, runtimeRoot } from '../primary/runtime-dir.js';
import { type StaleCapture, staleCaptures } from '../primary/stale-captures.js';
import { type BadBox, findBoxes } from '../recorder/find.js';
import { type HugepagePool, readHugepages } from '../system/huge-pages.js';

import type { BoxView } from './recorder-checks.js';

/** A mounted hugetlbfs. */
export interface HugetlbMount {
  path: string;
  writable: boolean;
}

/** What was seen of one primary. */
export interface PrimaryView {
  primary: Primary;
  facts: PrimaryFacts;
  capturability: Capturability;
  /** Where the libraries are from with which it would be joined, and why they are these; undefined for none. */
  origin: string | undefined;
  /** Undefined when the process is not read: it is dead, a less privileged user's, or in another namespace. */
  ops: OpsReading | undefined;
  /** Undefined when the primary is dead, or its memzones are not known. */
  stale: StaleCapture[] | undefined;
  /** What dpcap's agent in the process says, or why it does not; undefined when it has none. */
  agent: AgentHello | DpcapError | undefined;
  /** What captures through its agent, where that is not below the runtime root. */
  captureBy?: string | undefined;
  /** Whether the agent could be brought into it; undefined when it has one, or is dead. */
  injection?: Verdict | undefined;
  /** Why probes cannot be set on it (`--via ebpf`), or empty; undefined when it does not run. */
  probesLack: string | undefined;
}

/** The addons, and what they found here. */
export interface AddonView {
  /** libpcap's version, or why there is none. */
  pcap: string | DpcapError;
  /** For each line of releases, its name and the release of the libraries that were found, or why none. */
  dpdk: { line: string; found: string | DpcapError }[];
}

/** What was seen of one machine. */
export interface DoctorView {
  uid: number;
  nodeVersion: string;
  addon: AddonView | DpcapError;
  hugepages: HugepagePool[];
  mounts: HugetlbMount[];
  root: string;
  /** Other roots that hold runtime directories: those of other users, or made under another environment. */
  otherRoots: string[];
  /** The list of primaries, or why there is none. */
  primaries: PrimaryView[] | DpcapError;
  /** The black boxes of recorders, and what they say of themselves. */
  boxes: BoxView[];
  /** Files where boxes are that cannot be read as one. */
  badBoxes: BadBox[];
  /** The file prefix that the user asked for. */
  filePrefix: string | undefined;
}

/** What to look at; the defaults are this machine. */
export interface ViewOptions {
  filePrefix?: string | undefined;
  root?: string;
  procDir?: string;
  sysDir?: string;
}

/** Gathers the facts; what cannot be read becomes a fact itself. */
export function gatherView(options: ViewOptions = {}): DoctorView {
  const { root = runtimeRoot(), procDir = '/proc', sysDir = '/sys' } = options;
  const addon = attempt(hostAddon);
  const view = (host: Host): PrimaryView[] => {
    const agents = findAgents(root, undefined, host.procDir, host.addon.agentListener);
    return withUnseen(findPrimaries(root, host), agents).map((primary) => viewPrimary(primary, host, agents));
  };
  return {
    uid: currentUid(),
    nodeVersion: process.versions.node,
    addon: addon instanceof Error ? addon : viewAddons(addon),
    hugepages: readHugepages(sysDir),
    mounts: readMounts(procDir),
    root,
    otherRoots: knownRoots().filter((other) => other !== root && hasEntries(other)),
    primaries:
      addon instanceof Error
        ? addon
        : attempt(() =>
            view({
              ...systemHost(),
              procDir,
              searchesProcesses: options.root === undefined && !process.env[ONLY_ROOT],
            }),
          ),
    ...(addon instanceof Error ? { boxes: [], badBoxes: [] } : viewBoxes(root)),
    filePrefix: options.filePrefix,
  };
}

function viewBoxes(root: string): Pick<DoctorView, 'boxes' | 'badBoxes'> {
  const found = findBoxes(root);
  found.close();
  const boxes = found.boxes.map(({ path, facts: { pid, program, bytes, isRecording } }) => ({
    ...{ path, pid, program, bytes, isRecording },
  }));
  return { boxes, badBoxes: found.bad };
}

function viewAddons(host: HostAddon): AddonView {
  const dpdk = pdumpAddons().map(({ line, addon }) => ({
    line: line.name,
    found: addon instanceof Error ? addon : addon.dpdkVersion,
  }));
  return { pcap: attempt(() => host.pcapVersion()), dpdk };
}

function viewPrimary(primary: Primary, host: Host, agents: readonly AgentAt[]): PrimaryView {
  const reads = isAlive(primary) && primary.pid !== undefined && !isForeign(primary) && !primary.elsewhere?.isHidden;
  const { facts, libraries, capturability } = inspect(primary, host);
  const agent = agents.find(({ pid }) => pid === primary.pid);
  const pid = isAlive(primary) ? primary.pid : undefined;
  // Whether dpcap may look into the process, and where its agent may be, is the examination's own question.
  const injection = agent || pid === undefined ? undefined : examine(pid, { despiteSeccomp: false });
  const own = injection?.kind === 'present' ? injection : undefined;
  return {
    primary,
    facts,
    capturability,
    origin: libraries && !(libraries instanceof Error) ? originAndReason(libraries) : undefined,
    ops: reads ? readOpsTable(primary.pid as number, host.addon.opsLayout, host.procDir) : undefined,
    stale: isAlive(primary) && facts.memzones ? staleCaptures(facts.memzones, host.procDir) : undefined,
    injection,
    probesLack: isAlive(primary) ? (whyNoProbes(primary, host) ?? '') : undefined,
    agent: agent ? attempt(() => checked(() => hostAddon().agentHello(agent.socket), 'agent')) : own?.agent.hello,
    ...(own ? { captureBy: captureCommand(own.target, own.agent.socket) } : {}),
  };
}

/** The hugetlbfs entries of /proc/mounts. */
export function readMounts(procDir: string): HugetlbMount[] {
  return readText(join(procDir, 'mounts'))
    .split('\n')
    .map((line) => line.split(' '))
    .filter((fields) => fields[2] === 'hugetlbfs')
    .map((fields) => {
      const path = fields[1] ?? '';
      return { path, writable: isWritable(path) };
    });
}

/** The runtime roots of root and of desktop users, whoever runs dpcap. */
function knownRoots(): string[] {
  const sessions = names('/run/user').map((uid) => `/run/user/${uid}/dpdk`);
  return ['/var/run/dpdk', ...sessions, '/tmp/dpdk'];
}

/** Whether a directory has entries. One that is closed to this user counts: it is there for a reason. */
function hasEntries(dir: string): boolean {
  try {
    return readdirSync(dir).length > 0;
  } catch (error) {
    return errnoOf(error) === 'EACCES';
  }
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function names(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch (error) {
    if (errnoOf(error)) return [];
    throw error;
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    if (errnoOf(error)) return '';
    throw error;
  }
}

function attempt<T>(look: () => T): T | DpcapError {
  try {
    return look();
  } catch (error) {
    return asDpcapError(error);
  }
}
