/**
 * forward2kni through a virtio-user port: the agent adds a port to the application whose other end is a kernel interface, and
 * mirrors to it. The kernel's vhost-net takes the packets from there; none passes through a process of dpcap's.
 */
import { existsSync, readlinkSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findAgents } from '../agent/find.js';
import { DpcapError, UsageError } from '../errors.js';
import { type MirroringApplication, mirroringApplication } from '../mirror/agent/application.js';
import { AgentController } from '../mirror/agent/controller.js';
import { type AgentPort, type ResolvedMirror, SNAPLEN } from '../mirror/agent/request.js';
import { HELD_LEASE_MS } from '../mirror/hold.js';
import { warn } from '../mirror/warn.js';
import { hostAddon } from '../native/addons.js';
import { checked } from '../native/errors.js';
import type { Primary } from '../primary/discover.js';
import { findSecondaries } from '../primary/secondaries.js';
import { selectPorts } from '../protocol/lanes.js';
import { startDetached } from './background.js';
import { interfaceNames } from './interface-name.js';
import { virtioUserPort } from './kernel-interfaces.js';
import { print, refuseSecond, sentence } from './report.js';
import { type ForwardRequest, offCommand } from './request.js';
import { ForwarderStates } from './state.js';
import { forwardToTap } from './tap.js';
import type { TapChoices } from './tap-choices.js';
import { holdForwarder, type VirtioForward } from './virtio-user-forwarder.js';

const VHOST_NET = '/dev/vhost-net';
/** As that of the interfaces that dpcap makes: frames of every NIC fit. */
const MTU = 9216;
/** The agent takes a port away within a tenth of a second after its last mirror. */
const GONE_MS = 5000;
const LOOK_MS = 20;

/**
 * Switches the forwarding on, and stays, unless it goes on in the background. Where the kernel has no vhost-net, it says so, and
 * forwards to an interface of dpcap's.
 * @returns the exit code
 * @throws UsageError; DpcapError as mirroringApplication() and MirrorBinding
 */
export async function forwardToVirtioUser(
  request: ForwardRequest,
  primary: Primary,
  choices: TapChoices,
): Promise<number> {
  refuseChoices(choices);
  if (!hasAgent(primary) && !hasVhostNet(primary)) return withoutVhostNet(request, primary, choices);
  const application = mirroringApplication(primary.filePrefix);
  const port = portOf(request.port, application.hello.ports);
  const name = interfaceNames(port, choices.name, false).rx;
  const states = new ForwarderStates();
  refuseSecond(request, port, primary.filePrefix, states.running());
  if (choices.detach) return detached(request, primary, port, states);
  const target = targetOf(application, name);
  if (target === undefined) return withoutVhostNet(request, primary, choices);
  if (target.isOurs) checked(() => hostAddon().setUpInterface(name, MTU));
  const controller = new AgentController(mirroringApplication(primary.filePrefix));
  const forward: VirtioForward = {
    request,
    controller,
    mirror: resolve(controller, port, target.device, choices),
    stay: { isHeld: true, durationMs: request.durationMs, leaseMs: HELD_LEASE_MS },
    state: { filePrefix: primary.filePrefix, port: { id: port.id, name: port.name }, interfaces: [name], netns: '' },
  };
  await holdForwarder(forward, states);
  if (target.isOurs) await untilGone(name);
  return 0;
}

/** Where the packets go: a port that the application has, or one that is added. Undefined: the kernel has no vhost-net. */
function targetOf(application: MirroringApplication, name: string): { device: string; isOurs: boolean } | undefined {
  const { agent, hello } = application;
  const known = virtioUserPort(name, hello.ports, agent.pid);
  if (known) return { device: known.name, isOurs: false };
  refuseOthers(application);
  try {
    return { device: checked(() => hostAddon().kernelPortAdd(agent.socket, name)).device, isOurs: true };
  } catch (error) {
    if (!(error instanceof DpcapError)) throw error;
    if (error.subject === VHOST_NET && error.errno === 'ENOENT') return undefined;
    const { code, message, errno, subject, hint = 'use an interface of dpcap: --via tap' } = error;
    throw new DpcapError(code, message, { errno, subject, hint, cause: error });
  }
}

function resolve(controller: AgentController, port: AgentPort, target: string, choices: TapChoices): ResolvedMirror {
  const mirror = controller.resolve({
    source: port.name,
    target,
    targetQueue: undefined,
    directions: choices.directions,
    snaplen: SNAPLEN.all,
    vlanTci: undefined,
    byReference: false,
    tunnel: undefined,
    accepted: [],
    filter: choices.filter,
  });
  warn(mirror.warnings);
  return mirror;
}

const WITHOUT_VHOST_NET = `this kernel has no vhost-net, which virtio-user needs (no ${VHOST_NET}): forwarding as with --via tap`;

function withoutVhostNet(request: ForwardRequest, primary: Primary, choices: TapChoices): Promise<number> {
  warn([WITHOUT_VHOST_NET]);
  return forwardToTap(request, primary, choices);
}

const hasAgent = ({ runtimeDir }: Primary): boolean => findAgents(dirname(runtimeDir), basename(runtimeDir)).length > 0;

/** Whether the application would find it. */
const hasVhostNet = ({ pid }: Primary): boolean => pid === undefined || existsSync(`/proc/${pid}/root${VHOST_NET}`);

function portOf(selector: string, ports: readonly AgentPort[]): AgentPort {
  const [found] = selector === 'any' ? [] : selectPorts([selector], ports);
  const port = ports.find(({ id }) => id === found?.id);
  if (port) return port;
  throw new UsageError('forward2kni is for one port', { subject: selector, hint: 'dpcap list shows the ports' });
}

/** The options of a capture into an interface of dpcap's. */
function refuseChoices({ netns, split, maxRate, threads, bufferBytes, via }: TapChoices): void {
  const given = {
    '--netns': netns !== '',
    '--split': split,
    '--max-rate': maxRate > 0,
    '--threads': threads !== undefined,
    '-B': bufferBytes !== undefined,
    '--capture-via': via !== 'auto',
  };
  const [option] = Object.entries(given).find(([, isGiven]) => isGiven) ?? [];
  if (option === undefined) return;
  throw new UsageError(`forward2kni: ${option} does not go with --via virtio-user`, {
    subject: option,
    hint: 'the application feeds that interface itself; an interface of dpcap has all options: --via tap',
  });
}

/** Every process that shares the application's ports would be told to add the device as well. */
function refuseOthers({ agent, others }: MirroringApplication): void {
  const all = new Set([...others, ...findSecondaries(agent.runtimeDir).map(({ pid }) => pid)]);
  if (all.size > 0) {
    throw new DpcapError('ERR_PORT_UNSUITABLE', `process ${[...all].join(', ')} would have to add the port as well`, {
      subject: agent.filePrefix,
      hint: 'end what has joined the application, or use an interface of dpcap: --via tap',
    });
  }
  const [own, its] = ['self', agent.pid].map((pid) => readlinkSync(`/proc/${pid}/ns/net`));
  if (own === its) return;
  throw new DpcapError('ERR_PORT_UNSUITABLE', 'the application is in another network namespace', {
    subject: agent.filePrefix,
    hint: 'the interface would be made there: run dpcap there as well (nsenter, ip netns exec), or use --via tap',
  });
}

async function detached(
  request: ForwardRequest,
  { filePrefix }: Primary,
  { id }: AgentPort,
  states: ForwarderStates,
): Promise<number> {
  const state = await startDetached({ filePrefix, id }, states);
  // Whether there is a vhost-net is the application's to say, to the process in the background, whose words go to a log.
  if (state.bytes !== null) warn([WITHOUT_VHOST_NET]);
  print(request, state, `${sentence(state)}, by pid ${state.pid}; end it with: ${offCommand(request)}`);
  return 0;
}

/** The interface goes with the port, when the agent has seen that no mirror is left. */
async function untilGone(name: string): Promise<void> {
  for (const deadline = performance.now() + GONE_MS; hostAddon().isInterface(name); await sleep(LOOK_MS)) {
    if (performance.now() < deadline) continue;
    return warn([`the interface ${name} is still there: it goes when the application has given its last packets back`]);
  }
}
