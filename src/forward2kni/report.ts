/** What is said about the forwarder of a port, and what it must not get in the way of. */
import { DpcapError } from '../errors.js';
import { findForwarder } from './background.js';
import { type ForwardRequest, offCommand } from './request.js';
import type { ForwarderState } from './state.js';
import { describeInterfaces } from './tap-forwarder.js';

/** `port net_null0 is forwarded to interface net_null0.kni`. */
export function sentence(state: Pick<ForwarderState, 'interfaces' | 'port' | 'netns'>): string {
  const [rx = '', tx = rx] = state.interfaces;
  return `port ${state.port.name} is forwarded to ${describeInterfaces({ rx, tx }, state.netns)}`;
}

/** The same, with its process and its counters. */
export function describe(state: ForwarderState): string {
  const { pid, startedAt, packets, bytes, filtered, nombuf, ringfull, sinkdrop } = state;
  const amount = bytes === null ? `${packets} packets` : `${packets} packets, ${bytes} bytes`;
  return (
    `${sentence(state)}, by pid ${pid}, since ${startedAt}\n` +
    `  ${amount}; ${filtered} filtered out; lost: nombuf ${nombuf}, ringfull ${ringfull}, sinkdrop ${sinkdrop}`
  );
}

/** To standard output, in the form that was asked for. */
export function print(request: ForwardRequest, state: ForwarderState | undefined, text: string): void {
  const document = state ? { forwarding: true, ...state } : { forwarding: false, port: request.port };
  process.stdout.write(`${request.json ? JSON.stringify(document) : text}\n`);
}

/** @throws DpcapError ERR_CAPTURE_BUSY when the port has a forwarder already */
export function refuseSecond(
  request: ForwardRequest,
  port: { id: number; name: string },
  filePrefix: string,
  running: readonly ForwarderState[],
): void {
  const other = findForwarder(running, String(port.id), filePrefix);
  if (!other) return;
  throw new DpcapError('ERR_CAPTURE_BUSY', `port ${port.name} is already forwarded to ${other.interfaces.join(', ')}`, {
    subject: port.name,
    errno: 'EEXIST',
    hint: `end that one first (pid ${other.pid}): ${offCommand(request)}`,
  });
}
