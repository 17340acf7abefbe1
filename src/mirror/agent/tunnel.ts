/** A mirror into a tunnel to a collector on another host: what is asked for beside the ports. Pure. */
import { isIP, isIPv6 } from 'node:net';
import { UsageError } from '../../errors.js';
import type { AgentHello } from '../../native/agent-binding.js';
import type { MirrorTunnelOrder } from '../../native/mirror-binding.js';
import { describePort } from '../../protocol/lanes.js';
import type { TunnelPlan } from '../../sinks/tunnel/plan.js';
import { isNobody, parseTunnelUrl } from '../../sinks/tunnel/url.js';

type AgentPort = AgentHello['ports'][number];

/** A tunnel as it was typed, checked as far as that goes without the application. */
export interface TunnelRequest {
  plan: TunnelPlan & { source: string };
  /** MAC address of the next hop; undefined: it is learnt. */
  nextHopMac: string | undefined;
  /** Whose MAC address is the next hop's. */
  neighbour: string;
}

const USUAL_MTU = 1500;
const LEAST_MTU = 576;
const ETHERNET_HEADER = 14;
const MAC = /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i;

/**
 * Reads the name of a tunnel, with the words that it has with -w as well, and the next hop to it: a MAC address, or the
 * address of a router.
 * @throws UsageError
 */
export function parseTunnelRequest(url: string, nextHop: string | undefined): TunnelRequest {
  const plan = parseTunnelUrl(url, '--to');
  const { source, address } = plan;
  if (source === undefined) {
    throw new UsageError(`--to ${url}: src is missing`, {
      subject: 'src',
      hint: 'the application has no routes: add src=ADDR, the address that the packets are to come from',
    });
  }
  checkHost(url, source);
  for (const one of [source, address]) refuseZone(one);
  return { plan: { ...plan, source }, ...parseNextHop(nextHop, address) };
}

function checkHost(url: string, source: string): void {
  if (!isNobody(source)) return;
  throw new UsageError(`--to ${url}: src=${source} is not the address of one host`, {
    subject: source,
    hint: 'give the address that the packets are to come from',
  });
}

function refuseZone(address: string): void {
  if (!address.includes('%')) return;
  throw new UsageError(`${address} names an interface of the kernel, which has no part in this`, {
    subject: address,
    hint: 'leave out what is behind the %: --out-port says where the packets leave',
  });
}

/** Without one, the collector is next: it is on the network of the port, or answers through its router. */
function parseNextHop(text: string | undefined, collector: string): Omit<TunnelRequest, 'plan'> {
  if (text === undefined) return { nextHopMac: undefined, neighbour: collector };
  if (MAC.test(text) && isOnesMac(text)) return { nextHopMac: text.toLowerCase(), neighbour: collector };
  if (isIP(text) === isIP(collector) && !isNobody(text)) {
    refuseZone(text);
    return { nextHopMac: undefined, neighbour: text };
  }
  throw new UsageError(
    `--next-hop: ${JSON.stringify(text)} is neither the MAC address nor the address of one machine`,
    {
      subject: text,
      hint: `give the MAC address of the collector or of the router to it, 02:00:00:00:00:09, or that router's address, of ${isIPv6(collector) ? 'IPv6' : 'IPv4'} as the collector's`,
    },
  );
}

function isOnesMac(mac: string): boolean {
  return (Number.parseInt(mac.slice(0, 2), 16) & 1) === 0 && !/^[0:]+$/.test(mac);
}

/**
 * The tunnel out of a port.
 * @throws UsageError when the port does not send packets that long
 */
export function tunnelOrder({ plan, nextHopMac, neighbour }: TunnelRequest, port: AgentPort): MirrorTunnelOrder {
  const { protocol, version, id, hasShortTime, maxRate, udpPort, ttl, dscp, hardwareId, source, address } = plan;
  return {
    tunnel: protocol === 'erspan' ? `erspan${version}` : protocol,
    id,
    isIpv6: isIPv6(address),
    hasShortTime,
    maxRate,
    udpPort,
    mtu: mtuOf(plan, port),
    ttl,
    dscp,
    hardwareId,
    source,
    destination: address,
    neighbour,
    nextHop: nextHopMac ?? '',
  };
}

/** The MTU of a port as its agent takes it: some drivers do not tell. */
export function believedMtu({ mtu }: AgentPort): number {
  return mtu < LEAST_MTU ? USUAL_MTU : mtu;
}

function mtuOf({ mtu }: TunnelPlan, port: AgentPort): number {
  const most = believedMtu(port);
  if (mtu === undefined) return Math.min(USUAL_MTU, most);
  if (mtu <= most) return mtu;
  throw new UsageError(`port ${describePort(port)} sends packets of ${most} bytes at most`, {
    subject: `mtu=${mtu}`,
    hint: `give mtu=${most} or less, or leave it out`,
  });
}

/** The longest frame that is not cut. */
export function mostFrame({ tunnel, hasShortTime, isIpv6, mtu }: MirrorTunnelOrder): number {
  const heads = { erspan2: 16, erspan3: hasShortTime ? 20 : 28, gretap: 12, vxlan: 16 };
  return mtu - (isIpv6 ? 40 : 20) - heads[tunnel];
}

/** What may surprise about frames of this port's. */
export function tunnelWarnings(tunnel: MirrorTunnelOrder, source: AgentPort): string[] {
  const most = mostFrame(tunnel);
  if (source.mtu + ETHERNET_HEADER <= most) return [];
  return [`frames of more than ${most} bytes are cut: give mtu=N where the port and the path take longer packets`];
}
