/** What a mirror from a port of an application to another one, or into a tunnel, is asked for. Pure. */
import { DpcapError, UsageError } from '../../errors.js';
import type { FilterProgram } from '../../filter/compile.js';
import type { AgentHello } from '../../native/agent-binding.js';
import type { MirrorOrder, MirrorTunnelOrder } from '../../native/mirror-binding.js';
import type { Direction } from '../../native/primary-binding.js';
import { describePort, selectPorts } from '../../protocol/lanes.js';
import { missingDangers } from './dangers.js';
import { believedMtu, type TunnelRequest, tunnelOrder, tunnelWarnings } from './tunnel.js';

export type AgentPort = AgentHello['ports'][number];

/** A request as it was typed, checked as far as that goes without the application. */
export interface PortMirrorRequest {
  /** Number or device name of a port. */
  source: string;
  /** Gets the copies, or is the port that the packets of the tunnel leave by. */
  target: string;
  /** Undefined: the copies go to the target as they are. */
  tunnel: TunnelRequest | undefined;
  /** Undefined: the last transmit queue of the target. */
  targetQueue: number | undefined;
  directions: readonly Direction[];
  /** Bytes of each packet; the most that can be asked for means all. */
  snaplen: number;
  /** The tag to push: the 16 bits that follow 0x8100. */
  vlanTci: number | undefined;
  byReference: boolean;
  /** Names of the dangers of sharing mbufs that the user takes. */
  accepted: readonly string[];
  filter: FilterProgram | undefined;
}

/** A request on the ports of an application. */
export interface ResolvedMirror {
  request: PortMirrorRequest;
  source: AgentPort;
  target: AgentPort;
  tunnel: MirrorTunnelOrder | undefined;
  /** What may surprise, a sentence each. */
  warnings: string[];
}

/** The owner of a mirror, and for how long it stays when nothing is heard of the owner. */
export interface Lease {
  ownerPid: number;
  ownerStartTicks: number;
  leaseSeconds: number;
}

/** A packet is never longer than this, and a mirror never cuts to less than an Ethernet header. */
export const SNAPLEN = { all: 262_144, min: 14 } as const;

const LAST_QUEUE = 0xffff;
const LONGEST_FILTER = 255;
const ETHERNET_HEADER = 14;

/**
 * Parses a VLAN tag to push: `100`, or `100:5` with a priority.
 * @returns priority and id as they stand in the tag
 * @throws UsageError
 */
export function parsePushedVlan(text: string): number {
  const [, id = '', priority = '0'] = /^(\d{1,4})(?::([0-7]))?$/.exec(text) ?? [];
  if (id !== '' && Number(id) < 4095) return (Number(priority) << 13) | Number(id);
  throw new UsageError(`--push-vlan: ${JSON.stringify(text)} is no VLAN`, {
    subject: text,
    hint: 'give an id from 0 to 4094, and a priority from 0 to 7 if you like: 100 or 100:5',
  });
}

/** @throws UsageError */
export function parseQueue(text: string): number {
  if (/^\d{1,4}$/.test(text)) return Number(text);
  throw new UsageError(`--to-queue: ${JSON.stringify(text)} is no queue`, {
    subject: text,
    hint: 'give the number of a transmit queue of the target on which the application does not send',
  });
}

/**
 * Finds the ports of a request in the application, and refuses what cannot work.
 * @throws UsageError with the ports or queues that there are; DpcapError ERR_MIRROR_UNSAFE for a danger that was not taken
 */
export function resolveMirror(request: PortMirrorRequest, ports: readonly AgentPort[]): ResolvedMirror {
  const source = pickPort(request.source, ports);
  const target = pickPort(request.target, ports);
  if (source.id === target.id && request.tunnel === undefined) {
    throw new UsageError(`the target is the source: port ${describePort(source)}`, {
      subject: source.name,
      hint: 'give another port with --to-port: copies that come back to their own port would be mirrored for ever',
    });
  }
  checkQueue(request.targetQueue, target);
  checkReference(request);
  const tunnel = request.tunnel && tunnelOrder(request.tunnel, target);
  const cuts =
    tunnel === undefined ? lengthWarnings(source, target, request.byReference) : tunnelWarnings(tunnel, source);
  return { request, source, target, tunnel, warnings: [...cuts, ...linkWarnings(target)] };
}

/** The order for the agent. */
export function mirrorOrder(
  { request, source, target, tunnel }: ResolvedMirror,
  id: number,
  lease: Lease,
): MirrorOrder {
  const { directions, snaplen, vlanTci, byReference, filter, targetQueue } = request;
  return {
    ...lease,
    id,
    rx: directions.includes('rx'),
    tx: directions.includes('tx'),
    snaplen,
    byReference,
    pushesVlan: vlanTci !== undefined,
    vlanTci: vlanTci ?? 0,
    sourcePort: source.id,
    sourceDevice: source.name,
    targetPort: target.id,
    targetDevice: target.name,
    targetQueue: targetQueue ?? LAST_QUEUE,
    ...(tunnel === undefined ? {} : { tunnel }),
    program: filter?.extended ?? new Uint8Array(),
    programTx: filter?.extendedTx ?? new Uint8Array(),
    filter: shortened(filter?.expression ?? ''),
  };
}

function pickPort(selector: string, ports: readonly AgentPort[]): AgentPort {
  const [found] = selectPorts([selector], ports);
  return ports.find(({ id }) => id === found?.id) as AgentPort;
}

function checkQueue(queue: number | undefined, target: AgentPort): void {
  if (target.txQueues === 0) {
    throw new DpcapError('ERR_PORT_UNSUITABLE', `port ${describePort(target)} has no transmit queue`, {
      subject: target.name,
      hint: 'have the application set one up and start the port, or choose another target',
    });
  }
  if (queue === undefined || queue < target.txQueues) return;
  throw new UsageError(`port ${describePort(target)} has no transmit queue ${queue}`, {
    code: 'ERR_QUEUE_RANGE',
    subject: String(queue),
    hint: `it has ${target.txQueues}, numbered from 0`,
  });
}

function checkReference({ byReference, accepted, directions, snaplen, vlanTci, tunnel }: PortMirrorRequest): void {
  if (!byReference) {
    if (accepted.length === 0) return;
    throw new UsageError('--accept without --by-reference', { hint: 'copies have no dangers that need it' });
  }
  if (tunnel !== undefined) {
    throw new UsageError('--by-reference with --to: the headers of a tunnel would go in front of the packet itself', {
      hint: 'leave --by-reference away',
    });
  }
  if (snaplen !== SNAPLEN.all || vlanTci !== undefined) {
    throw new UsageError('--by-reference sends the packet itself, which is neither cut nor tagged', {
      hint: 'leave -s and --push-vlan away, or --by-reference',
    });
  }
  const missing = missingDangers(directions, accepted);
  if (missing.length === 0) return;
  throw new DpcapError('ERR_MIRROR_UNSAFE', `shared mbufs: ${missing.map(({ text }) => text).join('; ')}`, {
    subject: '--by-reference',
    hint: `leave --by-reference away, or take that with --accept ${missing.map(({ name }) => name).join(',')}`,
  });
}

function lengthWarnings(source: AgentPort, target: AgentPort, byReference: boolean): string[] {
  const most = believedMtu(target);
  if (believedMtu(source) <= most) return [];
  const longer = byReference ? 'longer packets are refused' : 'longer copies are cut';
  return [`port ${describePort(target)} takes frames of ${most + ETHERNET_HEADER} bytes: ${longer}`];
}

function linkWarnings(target: AgentPort): string[] {
  return target.linkMbps === 0 ? [`the link of port ${describePort(target)} is down`] : [];
}

function shortened(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= LONGEST_FILTER) return text;
  let end = LONGEST_FILTER - 3;
  while ((bytes.readUInt8(end) & 0xc0) === 0x80) end--; // a character of several bytes is kept whole, or left out
  return `${bytes.toString('utf8', 0, end)}...`;
}
