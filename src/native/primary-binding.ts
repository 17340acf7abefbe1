/** Verbs of the addon for a process that joins a primary. */

/** The three ends of a queue as pdump counts them. */
export type Direction = 'rx' | 'tx';

/** One port of the attached primary. */
export interface Port {
  id: number;
  /** Device name, e.g. "0000:06:00.0" or "net_null0". */
  name: string;
  rxQueues: number;
  txQueues: number;
}

/** One mempool in the primary's shared memory; sync types are `enum rte_ring_sync_type`, -1 when it is no ring. */
export interface RawPoolFacts {
  name: string;
  opsIndex: number;
  flags: number;
  isRing: boolean;
  prodSync: number;
  consSync: number;
}

/** What a capture of ours, running or dead, has in the primary. */
export interface OwnerFacts {
  /** Name of its record in shared memory. */
  name: string;
  pid: number;
  running: boolean;
  startedAtNs: bigint;
  /** Its command line, for people. */
  purpose: string;
  targets: { device: string; port: number; queue: number; direction: Direction; live: boolean }[];
}

/** The primary's heap on the NUMA socket where it has most of its memory, bytes. */
export interface HeapRoom {
  freeBytes: number;
  /** The largest piece of it. */
  greatestBytes: number;
  totalBytes: number;
  /** Size of the pages by which it would grow. */
  pageBytes: number;
}

/** What the primary's shared memory says at one moment. */
export interface AttachedFacts {
  heap: HeapRoom;
  ports: Port[];
  pools: RawPoolFacts[];
  /** Names of our own mempool handlers, by index. */
  ownOps: string[];
  owners: OwnerFacts[];
  /** The primary called rte_pdump_init(). */
  pdumpReady: boolean;
  /** What EAL logged since it was last asked. */
  log: string;
}

/** Joining a primary. One attach a process: EAL cannot be started twice. */
export interface PrimaryBinding {
  /** Joins as a secondary. Rejects with ERR_EAL_INIT; a new process may try again. */
  attach(filePrefix: string): Promise<void>;
  /** Leaves; everything of ours must have been freed. */
  detach(): Promise<void>;
  facts(): Promise<AttachedFacts>;
  /** Puts our mempool handlers into the primary's order (agreeOnOps). Before anything is created in its memory. */
  alignOps(names: string[]): void;
  /**
   * Whether the primary answers a question that changes nothing, within the time. It logs an error for it.
   */
  primaryAnswers(timeoutMs: number): Promise<boolean>;
  /** The primary is a DPVS, whose requests may have another layout: it is tried first. */
  expectDpvs(): void;
  /** Locks a file against other processes until the descriptor is closed; -1 while another holds it. Throws ERR_SYSTEM. */
  tryLock(path: string): number;
  /**
   * Disables what a dead capture left enabled; resolves with the targets that stay in doubt, and why. What another tool
   * captures in its place is left alone.
   */
  disableOwner(name: string): Promise<string[]>;
  /** Frees what a dead capture left. The primary must be quiescent. */
  freeOwner(name: string): Promise<void>;
  /** freeOwner ends at the next piece of memory. */
  abandonRecovery(): void;
  /** Asks the kernel for `signal` when the thread that started this process ends. */
  dieWithParent(signal: number): void;
}
