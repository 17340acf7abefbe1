/** Loads the native addon and types it. The only importer of the binary. */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { DpcapError } from './errors.js';

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
   * (0 or absent: whole). Throws with the verifier's words when it refuses the program.
   */
  runExtended(program: Uint8Array, packets: Uint8Array[], jit?: boolean, segmentSize?: number): Uint8Array;
  /**
   * Loads a program in a forked process, as the primary would. Throws (ERR_FILTER_UNSUPPORTED) when the verifier refuses
   * it, with errno ETIMEDOUT when it needs longer than `timeoutMs`: the primary's control thread would be deaf as long.
   */
  verifyExtended(program: Uint8Array, timeoutMs: number): void;
  /** From the headers the addon was built with. */
  readonly mbufLayout: MbufLayout;
}

/** Looking at primaries without joining them. */
export interface HostBinding {
  /** Who holds the write lock on `path` (a primary's `config`). Throws with an errno name as `code`. */
  lockHolder(path: string): LockHolder;
  /** One request on a DPDK telemetry socket (SOCK_SEQPACKET, which Node cannot open). Returns the JSON text. */
  telemetry(socketPath: string, command: string, timeoutMs: number): string;
}

/** All verbs of the addon. */
export interface Binding extends FilterBinding, HostBinding {
  /** Release the addon was built against, e.g. "22.11.11", and RTE_VERSION as a number. */
  readonly dpdkVersion: string;
  readonly dpdkVersionNumber: number;
  readonly pcapVersion: string;
}

const ADDON = fileURLToPath(new URL('../../build/Release/dpcap.node', import.meta.url));
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
      hint: 'run scripts/setup.sh, which installs libdpdk and libpcap and builds it',
    });
  }
}
