/** forward2kni for primaries without a switch of their own: a capture whose sink is a TAP interface. */
import { pickSource } from '../agent/pick.js';
import { resolvePortNames } from '../dpvs/port-names.js';
import { DpcapError, UsageError } from '../errors.js';
import type { Primary } from '../primary/discover.js';
import type { PickedPrimary } from '../primary/pick.js';
import type { PortInfo } from '../primary/telemetry.js';
import { DEFAULT_REQUEST } from '../protocol/request.js';
import { createLogger } from '../system/log.js';
import { endForwarder, findForwarder, startDetached } from './background.js';
import { interfaceNames } from './interface-name.js';
import { describe, print, refuseSecond, sentence } from './report.js';
import { type ForwardRequest, offCommand } from './request.js';
import { type ForwarderState, ForwarderStates } from './state.js';
import { type TapChoices, threadsFor } from './tap-choices.js';
import { forward, type TapForward } from './tap-forwarder.js';

/**
 * Carries out on, off and status for any primary, with a TAP interface, and prints what it did.
 * @returns the exit code
 */
export async function forwardToTap(request: ForwardRequest, primary: Primary, choices: TapChoices): Promise<number> {
  const states = new ForwarderStates();
  const port = await deviceOf(request.port, primary);
  const known = findForwarder(states.running(), port, primary.filePrefix);
  switch (request.action) {
    case 'on':
      return on(request, decide(request, port, primary, choices, states.running()), choices.detach, states);
    case 'off':
      return off(request, known);
    case 'status':
      return status(request, known);
  }
}

/** The selector of a port as DPDK has it: DPVS has names of its own. */
async function deviceOf(selector: string, primary: Primary): Promise<string> {
  const [device = selector] = await resolvePortNames([selector], { primary, ports: undefined });
  return device;
}

/** Decides everything that can be known before dpcap attaches. */
function decide(
  request: ForwardRequest,
  device: string,
  primary: Primary,
  choices: TapChoices,
  running: readonly ForwarderState[],
): TapForward {
  const picked = pickSource(primary.filePrefix, choices.via);
  const port = findPort(device, picked);
  refuseSecond(request, port, picked.primary.filePrefix, running);
  const { netns, maxRate, filter, directions, bufferBytes, probeBudget } = choices;
  return {
    picked,
    port: { id: port.id, name: port.name },
    // The interface of DPVS's dpdk0 is named after dpdk0; an id is no name for an interface.
    names: interfaceNames(
      device === request.port ? port : { ...port, name: request.port },
      choices.name,
      choices.split,
    ),
    netns,
    maxRate,
    // What an agent or the kernel has copied is taken out by one thread.
    threads: picked.agent || picked.ebpf ? 1 : threadsFor(choices, port.rxQueues),
    // An interface gets whole frames, which is the default.
    options: {
      ...DEFAULT_REQUEST,
      ports: [port.name],
      stats: request.json ? 'ndjson' : 'text',
      directions,
      bufferBytes,
      probeBudget,
      durationMs: request.durationMs,
    },
    filter,
  };
}

async function on(
  request: ForwardRequest,
  wanted: TapForward,
  detach: boolean,
  states: ForwarderStates,
): Promise<number> {
  if (!detach) return forward(wanted, createLogger('warn', 'forward2kni'), states);
  const { picked, port } = wanted;
  const state = await startDetached({ filePrefix: picked.primary.filePrefix, id: port.id }, states);
  print(request, state, `${sentence(state)}, by pid ${state.pid}; end it with: ${offCommand(request)}`);
  return 0;
}

async function off(request: ForwardRequest, known: ForwarderState | undefined): Promise<number> {
  if (!known) {
    print(request, undefined, `port ${request.port} is not forwarded`);
    return 0;
  }
  await endForwarder(known);
  print(
    request,
    undefined,
    `port ${known.port.name} is no longer forwarded; ${known.interfaces.join(' and ')} is gone`,
  );
  return 0;
}

async function status(request: ForwardRequest, known: ForwarderState | undefined): Promise<number> {
  print(request, known, known ? describe(known) : `port ${request.port} is not forwarded`);
  return 0;
}

/**
 * Finds the port by id or name, before dpcap attaches.
 * @throws UsageError ERR_PORT_UNKNOWN; DpcapError when the primary does not tell its ports
 */
function findPort(wanted: string, picked: PickedPrimary): PortInfo {
  const ports = picked.ports;
  if (!ports) {
    throw new DpcapError('ERR_PORT_UNKNOWN', `the primary ${picked.primary.filePrefix} does not tell its ports`, {
      hint: 'it was started with --no-telemetry: start it without, or capture to a file instead',
    });
  }
  const found = ports.find((port) => String(port.id) === wanted || port.name === wanted);
  if (found) return found;
  throw new UsageError(`there is no port ${wanted}`, {
    code: 'ERR_PORT_UNKNOWN',
    subject: wanted,
    hint: `the ports are ${ports.map((port) => `${port.id} (${port.name})`).join(', ') || 'none yet'}`,
  });
}
