/** Verbs of the addon for one capture: the plan that it carries out, and its counters. */
import type { Direction } from './primary-binding.js';

/** One port, queue and direction to capture. */
export interface LanePlan {
  device: string;
  queue: number;
  direction: Direction;
  /** Port id. */
  port: number;
  /** Index into `interfaces`. */
  interface: number;
}

/** Everything the native side needs to know, decided. */
export interface NativePlan {
  /** `thread`: the one that drains it, from 0. */
  lanes: (LanePlan & { thread: number })[];
  interfaces: { name: string; description: string; filter: string }[];
  /** eBPF instructions for received packets, empty for match-all. */
  program: Uint8Array;
  /** For transmitted ones; empty with `program`. */
  programTx: Uint8Array;
  /** stamped: timestamp and original length taken in the primary; plain: cheaper, stamped on arrival here. */
  mode: 'plain' | 'stamped';
  /** Of a file. */
  format: 'pcap' | 'pcapng';
  nanoseconds: boolean;
  snaplen: number;
  info: { application: string; operatingSystem: string; comment: string };
  /** 0: no limit. */
  packetLimit: number;
  /** Of the file; 0: no limit. */
  byteLimit: number;
  /** Size of the mempool, and what it may grow to: 2^n - 1. */
  mbufs: number;
  mostMbufs: number;
  /** Bytes of an mbuf, headroom included. */
  dataRoom: number;
  sink: SinkPlan;
  /** That drain; what several make for a file is merged. */
  threads: number;
  /** For the threads that handle packets; empty: any. */
  cpus: number[];
  purpose: string;
}

/**
 * Open descriptors, taken over. `frames` go to an interface, which has a queue for each thread; `maxRate` in packets a
 * second for each, 0 for no limit.
 */
export type SinkPlan =
  | { kind: 'file'; fd: number }
  | { kind: 'frames'; queues: { rxFd: number; txFd: number }[]; maxRate: number };

/** Counters of one lane since its capture began. */
export interface LaneStats {
  /** Anything but live: its packets are no longer recorded. */
  state: 'live' | 'port gone' | 'queue gone' | 'taken';
  port: number;
  queue: number;
  direction: Direction;
  accepted: bigint;
  filtered: bigint;
  nombuf: bigint;
  ringfull: bigint;
  written: bigint;
  bytes: bigint;
  sinkdrop: bigint;
  surplus: bigint;
}

/** Counters of the whole capture. */
export interface NativeStats {
  lanes: LaneStats[];
  limitReached: boolean;
  /** Name of the errno that ended writing, or null. */
  sinkFailure: string | null;
  fileBytes: bigint;
  /** How often the system clock was set, and by how much in all. */
  clockSteps: number;
  clockSetNs: bigint;
  mbufs: number;
  mbufsFree: number;
  /** The primary could not load the filter, so it runs on the copies. */
  filteringHere: boolean;
  /** Mbufs ran short since growCapture was last called. */
  wantsMbufs: boolean;
  /** There is something for settleLanes to do. */
  canSettle: boolean;
  /** Bytes of the primary's huge pages that the capture has taken. */
  memory: bigint;
}

/** The capture's verbs, in the order in which they are called. One capture a process. */
export interface CaptureBinding {
  /**
   * Sets up, enables, lets packets flow. When it rejects, disableCapture, finishCapture and freeCapture are still owed.
   * @param notify called when `limitReached`, `sinkFailure` or `wantsMbufs` has changed, until finishCapture is called; does not keep
   *   the process alive, and must not throw
   */
  startCapture(plan: NativePlan, notify: () => void): Promise<void>;
  /** Looks at the ports as well. */
  captureStats(): NativeStats;
  /** Adds the mbufs of `pieces` of 2 MiB, up to `upTo` in all. Resolves with whether there may be more. */
  growCapture(pieces: number, upTo: number): Promise<boolean>;
  /** Has the primary remove the callbacks of lanes that have ended, where it can now. */
  settleLanes(): Promise<void>;
  /** What takes memory from the primary, or gives it back, ends at the next piece. */
  abandonCapture(): void;
  /** Resolves with the targets that may still be live. */
  disableCapture(primaryGone: boolean): Promise<string[]>;
  /** Drains and closes the output. `isConfirmed`: the primary is known to be out of the callbacks. */
  finishCapture(isConfirmed: boolean): Promise<void>;
  /** Frees what the capture has in the primary, which must be out of the callbacks. Resolves with whether all was freed. */
  freeCapture(): Promise<boolean>;
}
