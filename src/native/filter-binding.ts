/** The addons' functions for filters: those of libpcap, and those of librte_bpf, without EAL. */

/** One classic BPF instruction, with the codes of libpcap and the kernel (`struct bpf_insn`). */
export interface ClassicInsn {
  code: number;
  jt: number;
  jf: number;
  /** Unsigned 32 bits. */
  k: number;
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

/** A capture file that was read whole. */
export interface CaptureFile {
  packets: Uint8Array[];
}

/** Functions for filters that need no library of DPDK. The first that uses libpcap loads it. */
export interface FilterBinding {
  /** libpcap's version, for people. Throws ERR_ADDON_LOAD where it is not installed. */
  pcapVersion(): string;
  /** Compiles for Ethernet with libpcap's compiler. Throws an Error with libpcap's own words. */
  compileFilter(expression: string, optimize?: boolean): ClassicInsn[];
  /** Applies libpcap's interpreter. `program` is an array of 8-byte `struct bpf_insn`; returns 1 or 0 per packet. */
  runClassic(program: Uint8Array, packets: Uint8Array[]): Uint8Array;
  /**
   * Applies a program in dpcap's interpreter for filters that a primary cannot load; the arguments are those of
   * runExtended. Verifies nothing.
   */
  runInterpreter(program: Uint8Array, packets: Uint8Array[], segmentSize?: number, tags?: Uint32Array): Uint8Array;
  /**
   * The same with the program compiled to machine code, as the agent does.
   * @throws Error ERR_FILTER_UNSUPPORTED on other processors than x86-64, and where written memory may not be executed
   */
  runCompiled(program: Uint8Array, packets: Uint8Array[], segmentSize?: number, tags?: Uint32Array): Uint8Array;
  /** Reads all packets of a pcap or pcapng file of Ethernet frames. Throws ERR_SYSTEM with libpcap's words. */
  readCaptureFile(path: string): CaptureFile;
}

/** Functions for filters in librte_bpf. */
export interface ExtendedBinding {
  /**
   * Loads a program with `rte_bpf_load` (the primary's verifier) and applies its interpreter to packets in mbufs.
   * `program` is an array of 8-byte `struct ebpf_insn`; packets are cut into segments of at most `segmentSize`
   * bytes (0 or absent: whole). `tags` has four words a packet: low and high half of ol_flags, vlan_tci,
   * vlan_tci_outer. Throws with the verifier's words when the verifier refuses the program.
   */
  runExtended(program: Uint8Array, packets: Uint8Array[], segmentSize?: number, tags?: Uint32Array): Uint8Array;
  /**
   * Loads a program in a forked process, as the primary would. Throws ERR_FILTER_UNSUPPORTED when the verifier refuses
   * it, with errno ETIMEDOUT when the verifier takes longer than `timeoutMs`: the primary's control thread would not
   * answer for as long.
   */
  verifyExtended(program: Uint8Array, timeoutMs: number): void;
}
