/** The addon's functions for mirrors in hardware, of applications that have the agent. */

/** Where packets go: the originals, or the copies, which go to a queue or to a port. */
export interface FlowDestination {
  kind: 'drop' | 'queue' | 'port' | 'jump';
  /** The queue's, port's or group's number. */
  value: number;
  /** Of a port; else empty. */
  device: string;
}

/** The pattern of one rule. Where a mask is 0, or shorter than the field, the rest of the field does not matter. */
export interface FlowMatch {
  sourceMac: Uint8Array;
  sourceMacMask: Uint8Array;
  targetMac: Uint8Array;
  targetMacMask: Uint8Array;
  etherType: number;
  etherTypeMask: number;
  isTagged: boolean;
  isUntagged: boolean;
  vlanTci: number;
  vlanTciMask: number;
  /** 0: neither. */
  ipVersion: 0 | 4 | 6;
  sourceIp: Uint8Array;
  sourceIpMask: Uint8Array;
  targetIp: Uint8Array;
  targetIpMask: Uint8Array;
  protocol: number;
  protocolMask: number;
  /** The protocol whose ports are meant: 6, 17 or 132. 0: none. */
  portsOf: number;
  sourcePort: number;
  sourcePortMask: number;
  targetPort: number;
  targetPortMask: number;
}

/** What a mirror in hardware is asked for. */
export interface FlowOrder {
  /** Chosen by the caller; not 0. */
  id: number;
  ownerPid: number;
  ownerStartTicks: number;
  /** 1 to 604800. */
  leaseSeconds: number;
  /** Rules of the embedded switch, for what the source port represents; else ingress ones of the port itself. */
  isTransfer: boolean;
  counts: boolean;
  /** The driver is asked whether it would take the rules, and nothing stays. */
  validatesOnly: boolean;
  /** One packet in so many is copied. */
  ratio: number;
  /** The port whose driver is asked. */
  throughPort: number;
  throughDevice: string;
  /** The port that is mirrored: the same one, or the representor of a VF. */
  sourcePort: number;
  sourceDevice: string;
  fate: FlowDestination;
  copy: FlowDestination;
  /** 1 to 32. */
  matches: FlowMatch[];
  /** What is mirrored, for people, at most 511 bytes. */
  text: string;
}

/** Why a mirror in hardware has ended. */
export type FlowEnd = 'cleared' | 'lease-over' | 'port-stopped' | 'other-port-stopped';

export interface FlowStatus {
  id: number;
  state: 'on' | 'ending' | 'ended';
  reason: FlowEnd | null;
  ownerPid: number;
  ownerStartTicks: number;
  leaseLeftSeconds: number;
  isTransfer: boolean;
  counts: boolean;
  ratio: number;
  rules: number;
  throughPort: number;
  throughDevice: string;
  sourcePort: number;
  sourceDevice: string;
  /** The port that the rules were made at. */
  proxyPort: number;
  fate: FlowDestination;
  copy: FlowDestination;
  text: string;
  /** What matched, by the NIC's count; null where the rules do not count, or the driver does not tell. */
  counters: { packets: bigint; bytes: bigint } | null;
}

/** Talks to agents about mirrors in hardware. All wait for an answer and throw as AgentBinding.agentHello(). */
export interface FlowBinding {
  /**
   * Has the driver validate all rules, then makes all of them or none. Throws ERR_MIRROR_REFUSED with the driver's words,
   * ERR_PORT_GONE, ERR_PORT_UNSUITABLE, ERR_NO_MEMORY, ERR_VERSION_MISMATCH.
   * @param socket path of the agent's socket
   */
  flowSet(socket: string, order: FlowOrder): FlowStatus;
  /** Lengthens its lease. Undefined when there is no such mirror. Throws ERR_MIRROR_REFUSED when it is another owner's. */
  flowRenew(
    socket: string,
    id: number,
    owner: { pid: number; startTicks: number; leaseSeconds: number },
  ): FlowStatus | undefined;
  /** Takes its rules away. Undefined when there was no such mirror. Throws ERR_DISABLE_FAILED with the driver's words. */
  flowClear(socket: string, id: number): FlowStatus | undefined;
  /** All mirrors in hardware, also those that have ended by themselves; none of an agent that has no such mirrors. */
  flowList(socket: string): FlowStatus[];
  /**
   * Switches the loopback of transmitted packets, for a whole port. Throws ERR_PORT_UNSUITABLE when its driver has none,
   * ERR_MIRROR_REFUSED, ERR_PORT_GONE, ERR_VERSION_MISMATCH.
   */
  txLoopback(socket: string, loopback: { port: number; device: string; isOn: boolean }): void;
}
