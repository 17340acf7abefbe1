/** Verbs of the addon for looking at primaries without joining them, and for lives of processes. */

/** Result of the F_GETLK query on a primary's `config` file. */
export interface LockHolder {
  /** True while a process holds a write lock: the primary is alive. */
  locked: boolean;
  /** Its pid; 0 when it is not visible from this PID namespace. */
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
