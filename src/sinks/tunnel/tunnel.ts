/** A tunnel to a collector on another host: ERSPAN, VXLAN or GRETAP. */
import { DpcapError } from '../../errors.js';
import { hostAddon } from '../../native/addons.js';
import type { SinkPlan, SinkRemark } from '../../native/capture-binding.js';
import { nativeError } from '../../native/errors.js';
import { NOTHING_LEFT, type Sink, writeFailed } from '../sink.js';
import { type TunnelPlan, tunnelSchema } from './plan.js';
import { tunnelName } from './url.js';

export const TUNNEL: Sink<TunnelPlan> & { schema: typeof tunnelSchema } = {
  schema: tunnelSchema,
  takesFrames: false, // it takes frames, and sends the time with them
  nameOf: tunnelName,
  hasPath: false,
  open: (output) => ({ sink: openTunnel(output), ...NOTHING_LEFT }),
  failed: (output, errno) => writeFailed(tunnelName(output), errno),
  abandoned: ({ address }) => `no more packets are sent to ${address}`,
  news,
};

function openTunnel(output: TunnelPlan): SinkPlan {
  const { id, udpPort, hardwareId, hasShortTime, maxRate, ttl, dscp } = output;
  const tunnel = output.protocol === 'erspan' ? (`erspan${output.version}` as const) : output.protocol;
  const ends = { destination: output.address, source: output.source ?? '', mtu: output.mtu ?? 0, tunnel, ttl, dscp };
  try {
    const { fd, mtu } = hostAddon().openTunnelSocket(ends);
    return { kind: 'tunnel', fd, tunnel, id, udpPort, hardwareId, hasShortTime, mtu, maxRate };
  } catch (thrown) {
    const { code, message, errno, subject, cause } = nativeError(thrown);
    throw new DpcapError(code, message, { errno, subject, cause, hint: openHint(errno, output) });
  }
}

/** What the user can do about an error at the start, by its errno. */
function openHint(errno: string | undefined, { address, mtu }: TunnelPlan): string {
  if (errno === 'EPERM') return 'a raw socket needs CAP_NET_RAW: run dpcap as root';
  if (errno === 'EADDRNOTAVAIL') return 'src has to be an address of this host: ip address shows them';
  if (errno === 'EMSGSIZE') return `give mtu less than ${mtu}, or leave it out`;
  if (errno === 'EACCES') return 'give the address of one host: this one is of all hosts of a network';
  return `see whether there is a route: ip route get ${address}`;
}

/** What to say of a remark of the addon, once. */
function news({ address, maxRate }: TunnelPlan, what: SinkRemark): string {
  switch (what) {
    case 'cut':
      return `packets too long for one tunnel packet are cut: mtu=N allows longer ones where the path to ${address} takes them`;
    case 'rate':
      return `more than ${maxRate} packets a second are not sent, and counted as sinkdrop: max-rate=N, 0 for no limit`;
    case 'own':
      return "the captured ports carry this tunnel's own packets: they are left out, and counted as filtered";
    default:
      return `packets to ${address} do not get through: ${reasonOf(what)} (${what}); as far as this host hears of them they are counted as sinkdrop, and the capture goes on`;
  }
}

/** What an errno of sending means. */
function reasonOf(errno: string): string {
  switch (errno) {
    case 'ECONNREFUSED':
      return 'nobody listens on that UDP port there';
    case 'ENOPROTOOPT':
      return 'that host does not speak GRE';
    case 'EHOSTUNREACH':
      return 'that host does not answer, or no router knows the way';
    case 'ENETUNREACH':
    case 'ENETDOWN':
      return 'there is no way to it any more';
    case 'EMSGSIZE':
      return 'the path takes shorter ones alone, and longer ones are cut from now on';
    case 'ENOBUFS':
    case 'EAGAIN':
      return 'the interface on the way has no room for so many';
    case 'EPERM':
      return 'a firewall of this host drops them';
    default:
      return 'the kernel does not take them';
  }
}
