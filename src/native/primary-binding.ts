/** The addon's functions for a process that joins a primary. */

import type { InputFacts, InputHandle } from './reader-binding.js';

/** The two directions of a queue, as pdump counts them. */
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

/** What a capture of dpcap, running or dead, has in the primary. */
export interface OwnerFacts {
  /** Name of the capture's record in shared memory. */
  name: string;
  pid: number;
  running: boolean;
  startedAtNs: bigint;
  /** The capture's command line, for people. */
  purpose: string;
  lanes: { device: string; port: number; queue: number; direction: Direction; live: boolean }[];
}

/** The primary's heap on the NUMA socket where it has most of its memory, bytes. */
export interface HeapRoom {
  freeBytes: number;
  /** The largest free piece of the heap. */
  greatestBytes: number;
  totalBytes: number;
  /** Size of the pages by which the heap would grow. */
  pageBytes: number;
}

/** A file that is read in place of a primary. */
export interface InputPart extends InputFacts {
  handle: InputHandle;
}

/** What the primary's shared memory says at one moment. */
export interface AttachedFacts {
  heap: HeapRoom;
  ports: Port[];
  pools: RawPoolFacts[];
  /** Names of dpcap's own mempool handlers, by index. */
  ownOps: string[];
  owners: OwnerFacts[];
  /** Whether the primary called rte_pdump_init(). */
  pdumpReady: boolean;
  /** What EAL logged since the last call of facts(). */
  log: string;
  /** The file that is read; undefined for an application. */
  input?: InputPart;
}

/** Functions for joining a primary. A process attaches once: EAL cannot be started twice. */
export interface PrimaryBinding {
  /**
   * Joins as a secondary. Rejects with ERR_EAL_INIT; a new process may try again.
   * @param isLean without the drivers that are installed: for a primary that is linked with few of them
   */
  attach(filePrefix: string, isLean: boolean): Promise<void>;
  /** Leaves the primary; everything that dpcap has there must have been freed. */
  detach(): Promise<void>;
  facts(): Promise<AttachedFacts>;
  /** Puts dpcap's mempool handlers into the primary's order (agreeOnOps), before anything is created in its memory. */
  alignOps(names: string[]): void;
  /**
   * Whether the primary answers a question that changes nothing, within the time. It logs an error for the question.
   */
  primaryAnswers(timeoutMs: number): Promise<boolean>;
  /**
   * Asks the secondary whose socket this is a question of pdump's that changes nothing; resolves with whether it answers
   * in time. It logs an error for the question. Rejects with ERR_SYSTEM when it cannot be asked.
   */
  answersPdump(socketPath: string, timeoutMs: number): Promise<boolean>;
  /** Says that the primary is a DPVS. Its requests may have another layout, which is then tried first. */
  expectDpvs(): void;
  /**
   * Disables what a dead capture left enabled; resolves with the lanes that stay in doubt, and why. A lane that another
   * tool captures by now is left alone.
   */
  disableOwner(name: string): Promise<string[]>;
  /** Frees what a dead capture left. The primary must be quiescent. */
  freeOwner(name: string): Promise<void>;
  /** Makes freeOwner end at the next piece of memory. */
  abandonRecovery(): void;
}
