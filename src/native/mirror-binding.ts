/** The addon's functions for mirrors in applications that have the agent. */

/** A tunnel to a collector on another host. */
export interface MirrorTunnel {
  /** The number is ERSPAN's version. */
  tunnel: 'erspan2' | 'erspan3' | 'gretap' | 'vxlan';
  /** ERSPAN: session; VXLAN: VNI; GRETAP: key. */
  id: number;
  hasShortTime: boolean;
  /** Packets a second, 0 for no limit. */
  maxRate: number;
  udpPort: number;
  /** Most bytes of a packet, its IP header included. */
  mtu: number;
  ttl: number;
  dscp: number;
  hardwareId: number;
  /** Addresses as text. */
  source: string;
  destination: string;
  /** Whose MAC address is the next hop's. */
  neighbour: string;
}

/** A tunnel that a mirror is to send into. */
export interface MirrorTunnelOrder extends MirrorTunnel {
  isIpv6: boolean;
  /** MAC address of the next hop; empty: it is learnt. */
  nextHop: string;
}

/** A tunnel as the agent tells of it. */
export interface MirrorTunnelStatus extends MirrorTunnel {
  /** Null until it was learnt. */
  nextHop: string | null;
  isNextHopGiven: boolean;
  counters: MirrorTunnelCounters;
}

/** Packets that were selected and not copied; `limited` and `unresolved` are in `matched`. */
export interface MirrorTunnelCounters {
  /** There were more than `maxRate`. */
  limited: bigint;
  /** The MAC address of the next hop was not known. */
  unresolved: bigint;
  /** Packets of a tunnel of this application, which no tunnel carries. */
  own: bigint;
}

/** What a mirror is asked for. */
export interface MirrorOrder {
  /** Chosen by the caller; not 0. */
  id: number;
  ownerPid: number;
  ownerStartTicks: number;
  /** 1 to 604800. */
  leaseSeconds: number;
  rx: boolean;
  tx: boolean;
  /** 14 to 262144. */
  snaplen: number;
  byReference: boolean;
  pushesVlan: boolean;
  /** Priority and id of the tag to push: the 16 bits that follow 0x8100. */
  vlanTci: number;
  sourcePort: number;
  sourceDevice: string;
  /** Gets the copies, or is the port that the packets of a tunnel leave by. */
  targetPort: number;
  targetDevice: string;
  /** 65535: the last one that the port has. */
  targetQueue: number;
  /** Undefined: the copies go to the port as they are. */
  tunnel?: MirrorTunnelOrder;
  /** Programs as compileFilter() makes them; empty for all packets. */
  program: Uint8Array;
  programTx: Uint8Array;
  /** The filter for people, at most 255 bytes. */
  filter: string;
}

/**
 * What became of the packets. `matched` is the sum of `sent`, `refused`, `nombuf` and `contended`, and of what a tunnel
 * counts besides; packets that are not seen (`missed`) or not selected (`filtered`) are beside it.
 */
export interface MirrorCounters {
  filtered: bigint;
  matched: bigint;
  copied: bigint;
  sent: bigint;
  /** The target did not take the copy: its queue is full, or it is stopped. */
  refused: bigint;
  /** No mbuf was free for the copy. */
  nombuf: bigint;
  /** Another thread was sending on the target's queue. */
  contended: bigint;
  /** Another thread was in the callback of the same queue. */
  missed: bigint;
  /** Copies that are shorter than the packet, because the target takes no longer frame. */
  cut: bigint;
}

/** Why a mirror has ended. */
export type MirrorEnd =
  | 'cleared'
  | 'lease-over'
  | 'source-gone'
  | 'target-gone'
  | 'target-stopped'
  | 'queue-used'
  | 'fast-free';

/** A mirror as the agent tells of it. */
export interface MirrorStatus {
  id: number;
  /** Ending: a thread of the application has still to leave it. */
  state: 'on' | 'ending' | 'ended';
  reason: MirrorEnd | null;
  ownerPid: number;
  ownerStartTicks: number;
  leaseLeftSeconds: number;
  rx: boolean;
  tx: boolean;
  snaplen: number;
  byReference: boolean;
  pushedVlanTci: number | null;
  sourcePort: number;
  sourceDevice: string;
  targetPort: number;
  targetDevice: string;
  targetQueue: number;
  /** Queues and directions that packets come from. */
  lanes: number;
  filter: string;
  counters: MirrorCounters;
  /** Null of a mirror to a port, and in what mirrorRenew() returns. */
  tunnel: MirrorTunnelStatus | null;
}

/** Talks to agents about mirrors. All wait for an answer and throw as AgentBinding.agentHello(). */
export interface MirrorBinding {
  /**
   * Sets a mirror; waits while the target's queue is watched. Throws ERR_MIRROR_REFUSED, ERR_MIRROR_UNSAFE, ERR_PORT_GONE,
   * ERR_QUEUE_RANGE, ERR_PORT_UNSUITABLE, ERR_NO_MEMORY, ERR_VERSION_MISMATCH.
   * @param socket path of the agent's socket
   */
  mirrorSet(socket: string, order: MirrorOrder): MirrorStatus;
  /** Lengthens its lease. Undefined when there is no such mirror. Throws ERR_MIRROR_REFUSED when it is another owner's. */
  mirrorRenew(
    socket: string,
    id: number,
    owner: { pid: number; startTicks: number; leaseSeconds: number },
  ): MirrorStatus | undefined;
  /** Ends it. Undefined when there was no such mirror. Throws ERR_DISABLE_FAILED. */
  mirrorClear(socket: string, id: number): MirrorStatus | undefined;
  /** All mirrors, also those that have ended by themselves; none of an agent that has no mirrors. */
  mirrorList(socket: string): MirrorStatus[];
  /**
   * Adds a port to the application, for mirrors, whose other end is a kernel interface of this name: a virtio-user device with
   * /dev/vhost-net. It goes by itself when no mirror to it is left. Throws ERR_SINK_OPEN with what the kernel or DPDK says, and
   * "/dev/vhost-net" as its subject when the application cannot open that; ERR_MIRROR_REFUSED, ERR_VERSION_MISMATCH.
   */
  kernelPortAdd(socket: string, interfaceName: string): { port: number; device: string };
}
