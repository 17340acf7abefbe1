/** Loads the native addon and types it. The only importer of the binary. */
import { createRequire } from 'node:module';
import { loadHint } from './addon-hint.js';
import { DpcapError } from './errors.js';
import { projectFile } from './location.js';

/** One classic BPF instruction, as libpcap and the kernel number them (`struct bpf_insn`). */
export interface ClassicInsn {
  code: number;
  jt: number;
  jf: number;
  /** Unsigned 32 bits. */
  k: number;
}

/** Result of the F_GETLK query on a primary's `config` file. */
export interface LockHolder {
  /** True while a process holds a write lock: the primary is alive. */
  locked: boolean;
  /** Its pid; 0 when it is not visible from this PID namespace. */
  pid: number;
}

/** Where a filter program finds a packet's metadata: byte offsets into `struct rte_mbuf`, and bits of `ol_flags`. */
export interface MbufLayout {
  size: number;
  pktLen: number;
  olFlags: number;
  vlanTci: number;
  vlanTciOuter: number;
  rxVlanStripped: number;
  rxQinqStripped: number;
  /** Bits above 2^32 lie in the second 32-bit word. */
  txVlan: number;
  txQinq: number;
}

/** A capture file, read whole. */
export interface CaptureFile {
  packets: Uint8Array[];
}

/** The filter part: libpcap and librte_bpf, no EAL needed. */
export interface FilterBinding {
  /** libpcap's compiler for Ethernet. Throws an Error with libpcap's own words. */
  compileFilter(expression: string, optimize?: boolean): ClassicInsn[];
  /** libpcap's interpreter. `program` is an array of 8-byte `struct bpf_insn`; returns 1 or 0 per packet. */
  runClassic(program: Uint8Array, packets: Uint8Array[]): Uint8Array;
  /**
   * `rte_bpf_load` (the primary's verifier) and its interpreter or JIT over packets in mbufs.
   * `program` is an array of 8-byte `struct ebpf_insn`; packets are cut into segments of at most `segmentSize` bytes
   * (0 or absent: whole). `tags` has four words a packet: low and high half of ol_flags, vlan_tci, vlan_tci_outer.
   * Throws with the verifier's words when it refuses the program.
   */
  runExtended(
    program: Uint8Array,
    packets: Uint8Array[],
    jit?: boolean,
    segmentSize?: number,
    tags?: Uint32Array,
  ): Uint8Array;
  /**
   * Loads a program in a forked process, as the primary would. Throws (ERR_FILTER_UNSUPPORTED) when the verifier refuses
   * it, with errno ETIMEDOUT when it needs longer than `timeoutMs`: the primary's control thread would be deaf as long.
   */
  verifyExtended(program: Uint8Array, timeoutMs: number): void;
  /** As runExtended, in the interpreter that runs filters which a primary cannot load. Verifies nothing. */
  runInterpreter(program: Uint8Array, packets: Uint8Array[], segmentSize?: number, tags?: Uint32Array): Uint8Array;
  /** All packets of a pcap or pcapng file of Ethernet frames. Throws ERR_SYSTEM with libpcap's words. */
  readCaptureFile(path: string): CaptureFile;
  /** From the headers the addon was built with. */
  readonly mbufLayout: MbufLayout;
}

/** `struct rte_mempool_ops_table` as the addon's DPDK lays it out; sizes and offsets in bytes. */
export interface OpsLayout {
  readonly tableSize: number;
  readonly numOpsOffset: number;
  readonly entriesOffset: number;
  readonly entrySize: number;
  readonly nameSize: number;
  readonly maxOps: number;
}

/** `struct rte_memzone`; sizes in bytes. */
export interface MemzoneLayout {
  readonly entrySize: number;
  readonly nameSize: number;
}

/** Looking at primaries without joining them. Its functions throw with an errno name as `errno`. */
export interface HostBinding {
  /** Who holds the write lock on `path` (a primary's `config`). */
  lockHolder(path: string): LockHolder;
  /** One request on a DPDK telemetry socket (SOCK_SEQPACKET, which Node cannot open). Returns the JSON text. */
  telemetry(socketPath: string, command: string, timeoutMs: number): string;
  /** Several requests on one connection (each connection costs the primary a thread); `timeoutMs` is for all of them. */
  telemetryAll(socketPath: string, commands: readonly string[], timeoutMs: number): string[];
  readonly opsLayout: OpsLayout;
  readonly memzoneLayout: MemzoneLayout;
}

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

/** Lives of processes. */
export interface LifeBinding {
  /**
   * Calls `onEnd` once when the primary is gone: at once where the kernel says so, else within milliseconds. By then
   * this process has given up its locks on the primary's files, without which the next primary cannot start. Does not
   * keep the process alive.
   * @param pid 0 when it is not visible from this PID namespace
   * @returns ends the watch; to be kept as long as it is wanted
   */
  watchPrimary(runtimeDir: string, pid: number, onEnd: () => void): () => void;
  /** Ends this process without Node's and the libraries' farewells, which wait for every thread that is at work. */
  endAtOnce(code: number): never;
}

/** All verbs of the addon. */
export interface Binding
  extends FilterBinding,
    HostBinding,
    PrimaryBinding,
    CaptureBinding,
    InterfaceBinding,
    LifeBinding {
  /** Release the addon was built against, e.g. "22.11.11", and RTE_VERSION as a number. */
  readonly dpdkVersion: string;
  readonly dpdkVersionNumber: number;
  readonly pcapVersion: string;
}

const ADDON = projectFile('build/Release/dpcap.node');
let loaded: Binding | undefined;

/**
 * The addon, loaded on first use (`--help` and `completion` work without it).
 * @throws DpcapError ERR_ADDON_LOAD when it was not built or DPDK's libraries are missing.
 */
export function binding(): Binding {
  if (loaded) return loaded;
  try {
    loaded = createRequire(import.meta.url)(ADDON) as Binding;
    return loaded;
  } catch (cause) {
    throw new DpcapError('ERR_ADDON_LOAD', `cannot load the native addon ${ADDON}: ${(cause as Error).message}`, {
      cause,
      subject: ADDON,
      hint: loadHint((cause as Error).message),
    });
  }
}
