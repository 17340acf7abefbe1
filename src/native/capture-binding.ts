/** The addon's functions for one capture, the plan that they carry out, and the counters. */
import type { CompressionPlan } from '../sinks/compression.js';
import type { Direction } from './primary-binding.js';
import type { InputEnd, InputHandle, InputInterface } from './reader-binding.js';
import type { FastPathLayout } from './releases.js';

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

/** The programs of a filter. */
export interface Programs {
  /** eBPF instructions for received packets, empty for match-all. */
  program: Uint8Array;
  /** The same for transmitted packets; empty when `program` is. */
  programTx: Uint8Array;
}

/** Everything that the native side needs to know; all decisions have been made. */
export interface NativePlan extends Programs {
  /** `thread` is the number of the lane's drain thread, from 0. */
  lanes: (LanePlan & { thread: number })[];
  /** `snaplen`, `program` and `programTx` are in place of the plan's. */
  interfaces: (Pick<InputInterface, 'name' | 'description' | 'filter'> &
    Partial<Pick<InputInterface, 'linkType' | 'options' | 'snaplen'> & Programs>)[];
  /** stamped: timestamp and original length are taken in the primary; plain: cheaper, stamped on arrival here. */
  mode: 'plain' | 'stamped';
  /** The format of a file. */
  format: 'pcap' | 'pcapng';
  nanoseconds: boolean;
  /** Of a file; undefined for one that is not compressed. */
  compression?: CompressionPlan;
  snaplen: number;
  /** hasStatistics: whether a pcapng file ends with the statistics of this capture; so it does unless it says no. */
  info: { application: string; operatingSystem: string; comments: string[]; hasStatistics?: boolean };
  /** 0: no limit. */
  packetLimit: number;
  /** Limit of the file's size; 0: no limit. */
  byteLimit: number;
  /** Bytes of the file's disk that have to stay free: with fewer the limit is reached, and `sinkNews` has `low`. */
  minFree?: number;
  /** What ends one file and begins the next (see RotationPlan); then there is no byteLimit. */
  rotation?: { bytes: number; packets: number; durationMs: number; intervalMs: number; mostFiles: number };
  /** Whether what each round of the drain finds goes to the file at once, as far as the file keeps up; else within 20 ms. */
  packetBuffered: boolean;
  /** Mbufs of the mempool, and how many it may grow to: each 2^n - 1. */
  mbufs: number;
  mostMbufs: number;
  /** Bytes of an mbuf, headroom included. */
  dataRoom: number;
  sink: SinkPlan;
  /** The number of drain threads. With more than one for a file, a merge thread joins their records into it. */
  threads: number;
  /** CPUs for the threads that handle packets; empty: any. */
  cpus: number[];
  purpose: string;
  /** Through which agents, for the addon without DPDK, which has no other captures; and all the memory for copies. */
  agent?: { sockets: string[]; memory: number };
  /** Where probes are set, for the addon that has no other captures; and the ring for copies, a power of two. */
  ebpf?: {
    processes: {
      pid: number;
      table: number;
      rows: number;
      devices?: { address: number; rowBytes: number; data: number } | undefined;
    }[];
    layout: FastPathLayout;
    memory: number;
    /** The filter for the kernel, empty where there is none that it could take; and as its user wrote it. */
    filter: { program: Uint8Array; programTx: Uint8Array; text: string };
  };
  /** The file that is read, by the addon without DPDK: the first `skip` packets that match are left out; no more than `limit`, 0 for all. */
  input?: { handle: InputHandle; skip: number; limit: number };
}

/** The headers in front of a frame in a tunnel. */
export type TunnelKind = 'erspan2' | 'erspan3' | 'gretap' | 'vxlan';

/** A tunnel by an open socket of openTunnelSocket(); see TunnelPlan of src/sinks/tunnel/plan.ts. */
export interface TunnelSinkPlan {
  kind: 'tunnel';
  fd: number;
  tunnel: TunnelKind;
  id: number;
  udpPort: number;
  hardwareId: number;
  hasShortTime: boolean;
  mtu: number;
  maxRate: number;
}

/**
 * Open descriptors, which the addon takes over. `frames` go to an interface that has a queue for each drain thread;
 * `maxRate` is in packets a second for each queue, 0 for no limit.
 */
export type SinkPlan =
  | { kind: 'file'; fd: number }
  | { kind: 'frames'; queues: { rxFd: number; txFd: number }[]; maxRate: number }
  | TunnelSinkPlan;

/**
 * What people should hear of an output that goes on: packets were cut, more came than its rate allows, its own packets
 * came back, more came than is compressed in the same time, its disk has too little room left, or the errno's name for which it
 * lost packets last.
 */
export type SinkRemark = 'cut' | 'rate' | 'own' | 'slow' | 'low' | `E${string}`;

/** Counters of one lane since its capture began. */
export interface LaneStats {
  /** In any state but live, packets of the lane are no longer recorded. */
  state: 'live' | 'port gone' | 'queue gone' | 'taken' | 'process gone' | 'broken';
  port: number;
  queue: number;
  direction: Direction;
  accepted: bigint;
  filtered: bigint;
  nombuf: bigint;
  ringfull: bigint;
  /** Passed, unseen, while another thread was in the callback of the same queue; of an agent alone. */
  contended: bigint;
  /** Passed, but the kernel's program could not copy them; of probes alone. */
  unread: bigint;
  /** Calls of the driver's function, and of these, those that dealt with all they were asked for; of probes alone. */
  calls: bigint;
  fullCalls: bigint;
  written: bigint;
  bytes: bigint;
  sinkdrop: bigint;
  surplus: bigint;
}

/** What became of one of a capture's files. */
export interface FileTurn {
  /** From 1, in order. */
  number: number;
  /** Otherwise it was begun. */
  isFinished: boolean;
  /** Of a finished file; without bytes it has not even a header, and is none. */
  bytes: bigint;
  /** When a finished file began, nanoseconds since 1970. */
  beginNs: bigint;
}

/** Counters of the whole capture. */
export interface NativeStats {
  lanes: LaneStats[];
  limitReached: boolean;
  /** Name of the errno that ended writing, or null. */
  sinkFailure: string | null;
  sinkNews: SinkRemark[];
  fileBytes: bigint;
  /** How often the system clock was set, and by how much in all. */
  clockSteps: number;
  clockSetNs: bigint;
  mbufs: number;
  mbufsFree: number;
  /** The primary could not load the filter, so dpcap applies it to the copies. */
  filteringHere: boolean;
  /** Mbufs ran short since growCapture was last called. */
  wantsMbufs: boolean;
  /** There is something for settleLanes to do. */
  canSettle: boolean;
  /** What the capture costs a thread of the application at each poll, measured here, in ns; of probes alone, else 0. */
  pollNs: number;
  /** Bytes of the primary's huge pages that the capture has taken. */
  memory: bigint;
  /** The copies of an agent are in ordinary pages, at least in part. */
  smallPages: boolean;
  /** How the file that is read ended; null while it has not, and for applications. */
  inputEnd: InputEnd | null;
}

/**
 * The functions of a capture, in the order in which they are called. A process may have several captures, each with a
 * number of its own, 0 to 99; the number may be used again once the capture is freed.
 */
export interface CaptureBinding {
  /**
   * Sets the capture up, enables it and lets packets flow. When it rejects, disableCapture, finishCapture and
   * freeCapture must still be called.
   * @param notify called when `limitReached`, `sinkFailure` or `wantsMbufs` has changed, or fileTurns has something to
   *   tell, until finishCapture has resolved; does not keep the process alive, and must not throw
   */
  startCapture(number: number, plan: NativePlan, notify: () => void): Promise<void>;
  /** Returns the counters. Looks at the ports as well. */
  captureStats(number: number): NativeStats;
  /** Sends what was captured until now to the output, where it would wait for more to be compressed with. */
  flushCapture(number: number): void;
  /** Adds the mbufs of `pieces` pieces of 2 MiB, up to `upTo` mbufs in all. Resolves with whether there may be more. */
  growCapture(number: number, pieces: number, upTo: number): Promise<boolean>;
  /**
   * Has the primary remove the callbacks of lanes that have ended, where it can do so now; sets the probes of ports that
   * were stopped and started. Resolves with what people should hear of it.
   */
  settleLanes(number: number): Promise<string[]>;
  /** Hands over the next file of a capture with a rotation, before it is needed or when it is. The addon closes it. */
  supplyFile(number: number, fd: number): void;
  /** There will be no other file, because of this errno: the output fails when it needs one. */
  refuseFile(number: number, errno: number): void;
  /** Returns which files were begun and finished since the last call. */
  fileTurns(number: number): FileTurn[];
  /** Ends every call that takes memory from the primary, gives it back or disables, at its next piece or lane. */
  abandonCaptures(): void;
  /** Removes the callbacks, if the primary is alive. Resolves with the lanes that may still be live. */
  disableCapture(number: number, primary: 'alive' | 'gone'): Promise<string[]>;
  /** Drains the rings and closes the output. Of a primary that is `outside`, no thread is in a callback any more. */
  finishCapture(number: number, primary: 'outside' | 'unknown'): Promise<void>;
  /** Frees what the capture has in a primary that is out of the callbacks. Resolves with whether all was freed. */
  freeCapture(number: number): Promise<boolean>;
}
