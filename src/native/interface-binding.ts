/** The addon's functions for kernel interfaces that packets are sent to. */

/** Functions for kernel interfaces that packets are sent to. */
export interface InterfaceBinding {
  /**
   * Creates an inert TAP interface, which is up, and returns a descriptor for each of its queues. The interface goes
   * when the last descriptor is closed. `netns`: a name under /var/run/netns, or empty. Throws with code ERR_SINK_OPEN;
   * `subject` is the name, the namespace or "/dev/net/tun".
   */
  createTap(name: string, netns: string, mtu: number, queues: number): number[];
  /** Whether an interface of this network namespace has this name. */
  isInterface(name: string): boolean;
  /**
   * Returns a descriptor. Each write to it sends one frame out of an Ethernet interface, which has to be up. Throws
   * with code ERR_SINK_OPEN; `subject` is the name.
   */
  openPacketSocket(name: string): number;
}
