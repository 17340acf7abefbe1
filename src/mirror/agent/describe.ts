/** Says in words, and as documents, what agents mirror. Pure. */
import type { MirrorEnd, MirrorStatus, MirrorTunnelStatus } from '../../native/mirror-binding.js';
import { describePort } from '../../protocol/lanes.js';
import { tunnelName } from '../../sinks/tunnel/url.js';
import { printable } from '../../text/printable.js';
import { hardwareAbilities } from '../hardware/drivers.js';
import type { AgentPort } from './request.js';

const ENDS: Record<MirrorEnd, string> = {
  cleared: 'it was cleared',
  'lease-over': 'its lease ran out: nothing was heard of its owner',
  'source-gone': 'its source was removed',
  'target-gone': 'its target was removed',
  'target-stopped': 'its target was stopped',
  'queue-used': "the application began to send on the target's queue",
  'fast-free': 'a port was started that frees mbufs without a look at their references (MBUF_FAST_FREE)',
};

/** Why a mirror has ended, as part of a sentence. */
export function endText(reason: MirrorEnd): string {
  return ENDS[reason];
}

/** An id as people type it. */
export function idText(id: number): string {
  return id.toString(16).padStart(8, '0');
}

/** All counters of a mirror, also those that are 0, in the order in which they are told. */
function countersOf({ counters, tunnel }: Pick<MirrorStatus, 'counters' | 'tunnel'>): Record<string, bigint> {
  const { matched, copied, sent, refused, nombuf, contended, missed, filtered, cut } = counters;
  const ofTunnel = tunnel === null ? {} : tunnel.counters;
  return { matched, copied, sent, refused, nombuf, contended, ...ofTunnel, missed, filtered, cut };
}

/** `matched 300, sent 300, refused 0 ...`. */
export function countersText(one: Pick<MirrorStatus, 'counters' | 'tunnel'>): string {
  return Object.entries(countersOf(one))
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}

/** `port 0 (net_null0) rx+tx to port 1 (net_null1), queue 0`. */
export function pathText(one: MirrorStatus): string {
  const directions = [...(one.rx ? ['rx'] : []), ...(one.tx ? ['tx'] : [])].join('+');
  const source = describePort({ id: one.sourcePort, name: one.sourceDevice });
  const target = describePort({ id: one.targetPort, name: one.targetDevice });
  const to = one.tunnel === null ? '' : `to ${tunnelText(one.tunnel)}, out of `;
  return `port ${source} ${directions} ${to === '' ? 'to ' : to}port ${target}, queue ${one.targetQueue}`;
}

function protocolOf({ tunnel }: MirrorTunnelStatus): 'erspan' | 'gretap' | 'vxlan' {
  return tunnel === 'erspan2' || tunnel === 'erspan3' ? 'erspan' : tunnel;
}

/** `erspan://192.0.2.9?id=5 from 192.0.2.1`. */
function tunnelText(tunnel: MirrorTunnelStatus): string {
  const name = tunnelName({ protocol: protocolOf(tunnel), address: tunnel.destination, id: tunnel.id });
  return `${name} from ${tunnel.source}`;
}

/** Where the packets of a tunnel go next, and how many; no line of a mirror to a port. */
export function nextHopLines({ tunnel, targetPort, targetDevice }: MirrorStatus): string[] {
  if (tunnel === null) return [];
  const { nextHop, isNextHopGiven, neighbour, maxRate, mtu } = tunnel;
  const port = describePort({ id: targetPort, name: targetDevice });
  const hop =
    nextHop === null
      ? `next hop: the MAC address of ${neighbour} is not known yet; nothing is sent until a packet from it comes in at port ${port}`
      : `next hop ${nextHop}${isNextHopGiven ? '' : ` (${neighbour})`}`;
  const rate = maxRate === 0 ? 'as many as there are' : `at most ${maxRate} packets a second`;
  return [`  ${hop}; ${rate}, of ${mtu} bytes at most`];
}

/** A mirror in two lines, or three. */
export function mirrorLines(one: MirrorStatus): string[] {
  const state =
    one.state === 'on'
      ? `on, of process ${one.ownerPid}, ends in ${one.leaseLeftSeconds} s unless it is renewed`
      : `${one.state}: ${endText(one.reason ?? 'cleared')}`;
  return [
    `mirror ${idText(one.id)}: ${pathText(one)}${detailText(one)}; ${state}`,
    ...nextHopLines(one),
    `  ${countersText(one)}`,
  ].map(printable);
}

function detailText({ filter, snaplen, pushedVlanTci, byReference }: MirrorStatus): string {
  const tag = pushedVlanTci === null ? [] : [`VLAN ${pushedVlanTci & 0xfff} pushed`];
  const cut = snaplen < 262_144 ? [`the first ${snaplen} bytes`] : [];
  const how = byReference ? ['by reference'] : [];
  const what = filter === '' ? [] : [`only ${filter}`];
  return [...how, ...cut, ...tag, ...what].map((one) => `; ${one}`).join('');
}

/** The document of a mirror. */
export function mirrorJson(one: MirrorStatus): Record<string, unknown> {
  const counters = Object.entries(countersOf(one)).map(([name, value]) => [name, Number(value)]);
  const { id, ownerPid, rx, tx, pushedVlanTci, tunnel, ...rest } = one;
  return {
    ...rest,
    id: idText(id),
    owner: { pid: ownerPid, startTicks: one.ownerStartTicks },
    ownerStartTicks: undefined,
    direction: rx && tx ? 'both' : rx ? 'rx' : 'tx',
    pushedVlan: pushedVlanTci === null ? null : { id: pushedVlanTci & 0xfff, priority: pushedVlanTci >> 13 },
    counters: Object.fromEntries(counters),
    tunnel: tunnel === null ? null : tunnelJson(tunnel),
  };
}

function tunnelJson(tunnel: MirrorTunnelStatus): Record<string, unknown> {
  const { counters: _, tunnel: kind, ...rest } = tunnel;
  const version = kind === 'erspan2' ? 2 : kind === 'erspan3' ? 3 : null;
  return { ...rest, protocol: protocolOf(tunnel), version };
}

/** The ports of an application, as sources and targets of mirrors. */
export function portLines(name: string, ports: readonly AgentPort[], canTunnel: boolean): string[] {
  const tunnels = canTunnel
    ? ', or into a tunnel (erspan, vxlan, gretap) that leaves by such a queue of any port'
    : '; not into tunnels: its agent is of an earlier dpcap';
  return [
    `${name}: any port's packets to a transmit queue of another one's on which it does not send${tunnels}`,
    ...ports.map(({ id, name: device, driver, rxQueues, txQueues, mtu }) =>
      [
        `  port ${describePort({ id, name: device })} ${driver}: ${rxQueues} rx and ${txQueues} tx queues, MTU ${mtu}`,
        ...hardwareAbilities(driver),
      ].join('; '),
    ),
  ].map(printable);
}
