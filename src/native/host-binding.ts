/** The addon's functions for looking at primaries without joining them, and for the ends of processes. */

import type { MbufLayout } from './filter-binding.js';

/** Result of the F_GETLK query on a primary's `config` file. */
export interface LockHolder {
  /** True while a process holds a write lock: the primary is alive. */
  locked: boolean;
  /** The pid of that process; 0 when it is not visible from this PID namespace. */
  pid: number;
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
  readonly lengthOffset: number;
}

/** What the memzone of pdump's counters is made for: so many bytes for each queue and direction. */
export interface PdumpLimits {
  readonly ports: number;
  /** Of a port. */
  readonly queues: number;
  readonly counterBytes: number;
}

/** Functions that look at primaries without joining them. They throw with an errno name as `errno`. */
export interface HostBinding {
  /** Tells who holds the write lock on `path` (a primary's `config`). */
  lockHolder(path: string): LockHolder;
  /** Sends one request to a DPDK telemetry socket (SOCK_SEQPACKET, which Node cannot open). Returns the JSON text. */
  telemetry(socketPath: string, command: string, timeoutMs: number): string;
  /** Sends several requests on one connection (each one costs the primary a thread); `timeoutMs` is for all of them. */
  telemetryAll(socketPath: string, commands: readonly string[], timeoutMs: number): string[];
  /**
   * Loads shared libraries from these files, for an addon that needs them by their SONAMEs; they stay loaded. Throws
   * ERR_ADDON_LOAD with the loader's words.
   */
  loadLibraries(paths: readonly string[]): void;
  /** Locks a file against other processes until its descriptor is closed; -1 if another has it. Throws ERR_SYSTEM. */
  tryLock(path: string): number;
}

/** How the DPDK that an addon was built with lays out what is read in a primary from outside. */
export interface Layouts {
  readonly opsLayout: OpsLayout;
  readonly memzoneLayout: MemzoneLayout;
  readonly pdumpLimits: PdumpLimits;
  readonly mbufLayout: MbufLayout;
}

/** Functions for who a process runs as. */
export interface UserBinding {
  /**
   * Makes this process a user's, with his groups and with all its threads. Node's own functions refuse that in some releases
   * (CVE-2024-22017; Debian's 20.19.2 always does), where libuv might use io_uring.
   * @throws ERR_PERMISSION
   */
  becomeUser(user: string, uid: number, gid: number): void;
}

/** Functions for the ends of processes. */
export interface LifeBinding {
  /**
   * Calls `onEnd` once when the primary is gone: at once where the kernel says so, else within milliseconds. By then
   * this process has given up its locks on the primary's files, which would keep the next primary from starting. The
   * watch does not keep the process alive.
   * @param pid the primary's; 0 when it is not visible from this PID namespace
   * @returns a function that ends the watch; to be kept as long as the watch is wanted
   */
  watchPrimary(runtimeDir: string, pid: number, onEnd: () => void): () => void;
  /** Asks the kernel for `signal` when the thread that started this process ends. */
  dieWithParent(signal: number): void;
  /** Ends this process without the exit handlers of Node and the libraries, which wait for every thread at work. */
  endAtOnce(code: number): never;
}
