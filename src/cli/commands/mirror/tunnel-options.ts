/** Turns the raw options of `dpcap mirror set --to` into a target. */
import { UsageError } from '../../../errors.js';
import type { PortMirrorRequest } from '../../../mirror/agent/request.js';
import { parseTunnelRequest } from '../../../mirror/agent/tunnel.js';
import type { RawMirrorOptions } from './options.js';

/**
 * The tunnel that was asked for, and the port that it leaves by. Undefined without --to.
 * @throws UsageError
 */
export function tunnelFrom({
  to,
  toPort,
  outPort,
  nextHop,
}: Pick<RawMirrorOptions, 'to' | 'toPort' | 'outPort' | 'nextHop'>):
  | Pick<PortMirrorRequest, 'target' | 'tunnel'>
  | undefined {
  if (to === undefined) {
    for (const [option, given] of Object.entries({ '--out-port': outPort, '--next-hop': nextHop })) {
      if (given === undefined) continue;
      throw new UsageError(`${option} without --to`, { subject: option, hint: 'it is about tunnels to a collector' });
    }
    return undefined;
  }
  if (toPort !== undefined) {
    throw new UsageError('--to and --to-port: a mirror has one target', {
      subject: '--to-port',
      hint: 'set a mirror for each; the port that the packets of a tunnel leave by is --out-port',
    });
  }
  if (outPort === undefined) {
    throw new UsageError('--to without --out-port', {
      subject: '--out-port',
      hint: 'name the port of the application that the packets are to leave by: dpcap list shows them',
    });
  }
  return { target: outPort, tunnel: parseTunnelRequest(to, nextHop) };
}
