/** The commands that do by hand what mirrors to a collector do, at both ends of the tunnel. Pure. */
import { isIPv6 } from 'node:net';
import { UsageError } from '../../errors.js';
import type { TunnelPlan } from '../../sinks/tunnel/plan.js';
import { tunnelName } from '../../sinks/tunnel/url.js';
import type { TunnelRequest } from '../agent/tunnel.js';
import type { PlanStep } from '../controller.js';
import { tcStep } from './commands.js';

export const TUNNELS = ['vxlan', 'gretap', 'erspan'] as const;

/** A tunnel as the kernel's interface of that kind has it. */
interface Link {
  kind: (typeof TUNNELS)[number];
  local: string;
  remote: string | undefined;
  id: number;
  /** Of ERSPAN; Linux counts from 1 what the protocol counts from 2. */
  version: 2 | 3;
}

/** The other end of a mirror to a collector off the host: what receives it there. */
export type Receiver = Link;

/** A mirror in the application, from a port of it into a tunnel that leaves by another one. */
export interface PortTunnel {
  source: string;
  /** The tunnel's name, as it was typed, and what it means. */
  url: string;
  tunnel: TunnelRequest;
  outPort: string;
  nextHop: string | undefined;
}

/** The interface that stands for the tunnel at either end. */
export const TUNNEL_DEVICE = 'mirror0';
const MOST_ID = { vxlan: 2 ** 24 - 1, gretap: 2 ** 32 - 1, erspan: 1023 } as const;
const VXLAN_PORT = 4789;

/** From a port of the application, through another one of its ports. */
export function portTunnelStep({ source, url, tunnel: { plan }, outPort, nextHop }: PortTunnel): PlanStep {
  const hop = nextHop === undefined ? '' : ` --next-hop ${nextHop}`;
  const { protocol, address, id } = plan;
  return {
    title: 'from a port of the application to a collector, through another one of its ports',
    commands: [
      `dpcap mirror set -i ${source} --to '${url}' --out-port ${outPort}${hop} --until-exit`,
      `dpcap mirror clear -i ${source}    # to end it`,
    ],
    notes: [
      'neither testpmd nor another DPDK program that is not written for it sends copies through a tunnel',
      "it takes code in the application: dpcap's agent (dpcap agent path)",
      `at the collector: dpcap mirror by-hand --receive ${protocol} --local ${address} --remote ${plan.source} --tunnel-id ${id}`,
    ],
  };
}

/** From an interface of the kernel, as the kernel's own tunnel sends it. */
export function deviceTunnelStep(source: string, plan: TunnelPlan & { source: string }): PlanStep {
  const { protocol: kind, address: remote, source: local, id, version, udpPort, ttl, dscp } = plan;
  const type = linkType({ kind, local, remote, id, version }, udpPort);
  const marks = `ttl ${ttl}${dscp === 0 ? '' : ` tos 0x${(dscp << 2).toString(16)}`}`;
  const { commands } = tcStep({ source, target: TUNNEL_DEVICE, isOffloaded: false });
  return {
    title: 'from an interface of the kernel to a collector',
    commands: [
      `ip link add ${TUNNEL_DEVICE} type ${type} ${marks}`,
      `ip link set ${TUNNEL_DEVICE} up`,
      ...commands,
      `ip link del ${TUNNEL_DEVICE}    # to end it`,
    ],
    notes: [
      `${local} has to be an address of this host`,
      `what ${source} receives is mirrored: what it sends is tc's egress in place of ingress, where the tunnel leaves by another interface`,
      ...(kind === 'erspan' && version === 3 ? ['of ERSPAN III Linux sends no subheader, so its time wraps'] : []),
    ],
  };
}

/** What `ip` takes to receive, at the collector, what `-w vxlan://`, `gretap://` or `erspan://` sends. */
export function receiverStep(receiver: Receiver): PlanStep {
  return {
    title: 'at the collector: an interface that shows the mirrored packets',
    commands: [
      `ip link add ${TUNNEL_DEVICE} type ${linkType(receiver, VXLAN_PORT)}`,
      `ip link set ${TUNNEL_DEVICE} up`,
      `ip link del ${TUNNEL_DEVICE}    # to end it`,
    ],
    notes: [
      `tcpdump -i ${TUNNEL_DEVICE} (or Wireshark) shows what was mirrored, without the tunnel`,
      `it takes what this sends: dpcap -i PORT -w '${senderUrl(receiver)}'`,
    ],
  };
}

/** The words behind `ip link add NAME type`. */
function linkType({ kind, local, remote, id, version }: Link, udpPort: number): string {
  const peer = remote === undefined ? '' : ` remote ${remote}`;
  const gre = isIPv6(local) ? 'ip6' : '';
  return {
    vxlan: `vxlan id ${id} dstport ${udpPort} local ${local}${peer}`,
    gretap: `${gre}gretap local ${local}${peer} key ${id}`,
    erspan: `${gre}erspan local ${local}${peer} seq key ${id} erspan_ver ${version - 1}`,
  }[kind];
}

/** The name of the tunnel that the interface understands: of ERSPAN III Linux knows no subheader. */
function senderUrl({ kind, local, remote, id, version }: Receiver): string {
  const url = tunnelName({ protocol: kind, address: local, id });
  const form = version === 2 ? '&version=2' : '&time=short';
  return `${url}${kind === 'erspan' ? form : ''}${remote === undefined ? '' : `&src=${remote}`}`;
}

/** @throws UsageError */
export function parseTunnel(text: string): Receiver['kind'] {
  const found = TUNNELS.find((kind) => kind === text);
  if (found !== undefined) return found;
  throw new UsageError(`--receive: unknown value ${text}`, { subject: text, hint: `use ${TUNNELS.join(', ')}` });
}

/** Undefined: the one that dpcap sends. @throws UsageError */
export function parseErspanVersion(kind: Receiver['kind'], text: string | undefined): Receiver['version'] {
  if (text !== undefined && kind !== 'erspan') {
    throw new UsageError(`--version with --receive ${kind}`, { subject: text, hint: 'only erspan has versions' });
  }
  if (text === undefined || text === '3') return 3;
  if (text === '2') return 2;
  throw new UsageError(`--version: unknown value ${text}`, { subject: text, hint: 'ERSPAN has 2 and 3' });
}

/** @throws UsageError */
export function checkTunnelId(kind: Receiver['kind'], id: number): number {
  if (id <= MOST_ID[kind]) return id;
  throw new UsageError(`--tunnel-id: ${id} is out of range`, { hint: `${kind} takes 0 to ${MOST_ID[kind]}` });
}
