/** forward2kni for primaries that have none of their own: a capture whose sink is a TAP interface. */
import { checkOptions, MAX_SNAPLEN } from '../capture/options.js';
import { DpcapError, UsageError } from '../errors.js';
import type { FilterProgram } from '../filter/compile.js';
import { createLogger } from '../log.js';
import type { Primary } from '../primary/discover.js';
import { type PickedPrimary, pickPrimary } from '../primary/pick.js';
import { endForwarder, findForwarder, startDetached } from './background.js';
import { interfaceNames } from './interface-name.js';
import type { ForwardRequest } from './request.js';
import { type ForwarderState, ForwarderStates } from './state.js';
import { describeInterfaces, forward } from './tap-forwarder.js';

/** What only this backend is asked. */
export interface TapChoices {
  name: string | undefined;
  netns: string;
  /** One interface for each direction. */
  split: boolean;
  maxRate: number;
  direction: string | undefined;
  detach: boolean;
  filter: FilterProgram | undefined;
}

/**
 * Carries out on, off and status for a primary other than DPVS and prints what it did.
 * @returns the exit code
 */
export async function forwardToTap(request: ForwardRequest, primary: Primary, choices: TapChoices): Promise<number> {
  const states = new ForwarderStates();
  const known = findForwarder(states.running(), request.port, primary.filePrefix);
  switch (request.action) {
    case 'on':
      return choices.detach ? detached(request, states) : inForeground(request, primary, choices, states);
    case 'off':
      return off(request, known);
    case 'status':
      return status(request, known);
  }
}

async function inForeground(
  request: ForwardRequest,
  primary: Primary,
  choices: TapChoices,
  states: ForwarderStates,
): Promise<number> {
  const picked = pickPrimary(primary.filePrefix);
  const port = findPort(request.port, picked);
  const names = interfaceNames(port, choices.name, choices.split);
  const options = {
    ...checkOptions({
      filePrefix: primary.filePrefix,
      interface: [port.name],
      stats: request.json ? 'ndjson' : 'text',
    }),
    ...(choices.direction === undefined
      ? {}
      : { directions: checkOptions({ direction: choices.direction }).directions }),
    snaplen: MAX_SNAPLEN, // an interface has whole frames
    durationMs: request.durationMs,
  };
  const { netns, maxRate, filter } = choices;
  return forward({ picked, port, names, netns, maxRate, options, filter }, createLogger('warn', 'forward2kni'), states);
}

async function detached(request: ForwardRequest, states: ForwarderStates): Promise<number> {
  const state = await startDetached(states);
  print(request, state, `${sentence(state)}, by pid ${state.pid}; end it with: dpcap forward2kni ${request.port} off`);
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
  const counters = known && `${known.packets} packets, lost: nombuf ${known.nombuf}, sinkdrop ${known.sinkdrop}`;
  print(
    request,
    known,
    known ? `${sentence(known)}, by pid ${known.pid}: ${counters}` : `port ${request.port} is not forwarded`,
  );
  return 0;
}

function sentence(state: ForwarderState): string {
  const [rx = '', tx = rx] = state.interfaces;
  return `port ${state.port.name} is forwarded to ${describeInterfaces({ rx, tx }, state.netns)}`;
}

function print(request: ForwardRequest, state: ForwarderState | undefined, text: string): void {
  const document = state ? { forwarding: true, ...state } : { forwarding: false, port: request.port };
  process.stdout.write(`${request.json ? JSON.stringify(document) : text}\n`);
}

/**
 * The port by id or name, before anything is attached.
 * @throws UsageError ERR_PORT_UNKNOWN; DpcapError when the primary does not tell its ports
 */
function findPort(wanted: string, picked: PickedPrimary): { id: number; name: string } {
  const ports = picked.ports;
  if (!ports) {
    throw new DpcapError('ERR_PORT_UNKNOWN', `the primary ${picked.primary.filePrefix} does not tell its ports`, {
      hint: 'it was started with --no-telemetry: start it without, or capture to a file instead',
    });
  }
  const found = ports.find((port) => String(port.id) === wanted || port.name === wanted);
  if (found) return { id: found.id, name: found.name };
  throw new UsageError(`there is no port ${wanted}`, {
    code: 'ERR_PORT_UNKNOWN',
    subject: wanted,
    hint: `the ports are ${ports.map((port) => `${port.id} (${port.name})`).join(', ') || 'none yet'}`,
  });
}
