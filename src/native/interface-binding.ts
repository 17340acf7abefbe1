/** The addon's functions for kernel interfaces that packets are sent to. */

import type { TunnelKind } from './capture-binding.js';

/** Functions for kernel interfaces that packets are sent to. */
export interface InterfaceBinding {
  /**
   * Creates an inert TAP interface, which is up, and returns a descriptor for each of its queues. The interface goes
   * when the last descriptor is closed. `netns`: a name under /var/run/netns, or empty. Throws with code ERR_SINK_OPEN;
   * `subject` is the name, the namespace or "/dev/net/tun".
   */
  createTap(name: string, netns: string, mtu: number, queues: number): number[];
  /** Brings an interface that somebody else has made up, as inert as those of createTap(). Throws with code ERR_SINK_OPEN. */
  setUpInterface(name: string, mtu: number): void;
  /** Whether an interface of this network namespace has this name. */
  isInterface(name: string): boolean;
  /**
   * Returns a descriptor. Each write to it sends one frame out of an Ethernet interface, which has to be up. Throws
   * with code ERR_SINK_OPEN; `subject` is the name.
   */
  openPacketSocket(name: string): number;
  /**
   * Opens a socket that packets of a tunnel are sent by. Tells the source address and the most bytes of a packet that
   * were agreed on. Throws with code ERR_SINK_OPEN; `subject` is the address that is the obstacle.
   */
  openTunnelSocket(ends: TunnelEnds): { fd: number; source: string; mtu: number };
}

/** The ends of a tunnel, as addresses. An empty source is the route's, an MTU of 0 what the route allows, 1500 at most. */
export interface TunnelEnds {
  destination: string;
  source: string;
  tunnel: TunnelKind;
  mtu: number;
  ttl: number;
  dscp: number;
}
