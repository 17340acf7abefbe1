/** Verbs of the addon for kernel interfaces as a place for packets. */

/** Kernel interfaces as a place for packets. */
export interface InterfaceBinding {
  /**
   * Creates an inert TAP interface, up, and returns a descriptor for each of its queues; it goes when the last one is
   * closed. `netns`: a name under /var/run/netns, or empty. Throws with code ERR_SINK_OPEN; `subject` is the name, the
   * namespace or "/dev/net/tun".
   */
  createTap(name: string, netns: string, mtu: number, queues: number): number[];
  /** Whether an interface of this network namespace has this name. */
  isInterface(name: string): boolean;
  /**
   * A descriptor to which each write sends one frame out of an Ethernet interface that is up. Throws with code
   * ERR_SINK_OPEN; `subject` is the name.
   */
  openPacketSocket(name: string): number;
}
