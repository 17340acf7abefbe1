/** The addon's function for looking at an agent inside an application. */
import type { Port } from './primary-binding.js';

/** What an agent tells of its process. */
export interface AgentHello {
  pid: number;
  /** The process that listens, by the kernel's word and as this PID namespace knows it; 0 when it is not seen here. */
  peerPid: number;
  /** Whether the agent was loaded into the application while that ran. */
  isInjected: boolean;
  /** Whether it can mirror: a primary whose DPDK has all that this takes, and an agent that knows mirrors. */
  canMirror: boolean;
  /** Whether it can mirror into tunnels, too. */
  canTunnel: boolean;
  /** Whether the process is a primary of DPDK; otherwise it is a secondary. */
  isPrimary: boolean;
  /** How filters are run there: as machine code, or by the agent's interpreter. */
  filters: 'compiled' | 'interpreted';
  /** "DPDK 22.11.11" */
  dpdkVersion: string;
  program: string;
  ports: (Port & {
    driver: string;
    mac: string;
    mtu: number;
    linkMbps: number;
  })[];
}

/** A capture that an agent has. */
export interface AgentCapture {
  /** The engine's process, 0 when it is in a PID namespace that the application does not see, or has left. */
  clientPid: number;
  /** Ending: a thread of the application does not leave the agent's callback, and the memory stays until it does. */
  state: 'prepared' | 'capturing' | 'ending';
  lanes: number;
  memoryBytes: number;
  /** Packets that its filter has selected. */
  accepted: bigint;
}

/** Talks to agents. */
export interface AgentBinding {
  /**
   * Asks an agent, and waits up to 2 s for its answer. Throws ERR_PRIMARY_NOT_CAPTURABLE when nobody listens,
   * ERR_PERMISSION, ERR_PRIMARY_TIMEOUT, ERR_CAPTURE_BUSY, ERR_VERSION_MISMATCH when it speaks another protocol.
   * @param socket path of its socket
   */
  agentHello(socket: string): AgentHello;
  /**
   * The process that listens at the socket of an agent, by the kernel's word: 0 for one that is not known from here (of
   * another user, or in a PID namespace that is not seen). Undefined: nobody does.
   */
  agentListener(socket: string): number | undefined;
  /** The captures of an agent. Waits and throws as {@link agentHello}. */
  agentCaptures(socket: string): AgentCapture[];
}
