/** The two instruction sets: opcodes, types, and their 8-byte encodings. */
import type { ClassicInsn } from '../../native/filter-binding.js';

/** One instruction of DPDK's eBPF (`struct ebpf_insn`). */
export interface ExtendedInsn {
  code: number;
  /** Destination and source register, 0..10. */
  dst: number;
  src: number;
  /** Jump distance or memory offset, signed 16 bits. */
  off: number;
  /** Signed 32 bits; 64-bit operations sign-extend it. */
  imm: number;
}

/** Instruction classes; the low three bits of an opcode in both sets. */
export const CLASS = { LD: 0, LDX: 1, ST: 2, STX: 3, ALU: 4, JMP: 5, RET: 6, MISC: 7, ALU64: 7 } as const;
export const SIZE = { W: 0x00, H: 0x08, B: 0x10 } as const;
export const MODE = { IMM: 0x00, ABS: 0x20, IND: 0x40, MEM: 0x60, LEN: 0x80, MSH: 0xa0 } as const;
/** Arithmetic; MOV and END exist only in eBPF. */
export const ALU = {
  ADD: 0x00,
  SUB: 0x10,
  MUL: 0x20,
  DIV: 0x30,
  OR: 0x40,
  AND: 0x50,
  LSH: 0x60,
  RSH: 0x70,
  NEG: 0x80,
  MOD: 0x90,
  XOR: 0xa0,
  MOV: 0xb0,
  END: 0xd0,
} as const;
/** Jumps; JNE, JLT, JLE and EXIT exist only in eBPF. */
export const JMP = {
  JA: 0x00,
  JEQ: 0x10,
  JGT: 0x20,
  JGE: 0x30,
  JSET: 0x40,
  JNE: 0x50,
  EXIT: 0x90,
  JLT: 0xa0,
  JLE: 0xb0,
} as const;
/** Operand source bit: an immediate or a register. */
export const SRC = { K: 0x00, X: 0x08 } as const;

/** Scratch words of the classic machine. */
export const MEMWORDS = 16;
const INSN_BYTES = 8;

/** Bytes that a packet load reads. */
export function loadBytes(code: number): 1 | 2 | 4 {
  const size = code & 0x18;
  return size === SIZE.B ? 1 : size === SIZE.H ? 2 : 4;
}

/** The size bits of a load of 1, 2 or 4 bytes. */
export function sizeBits(bytes: 1 | 2 | 4): number {
  return bytes === 1 ? SIZE.B : bytes === 2 ? SIZE.H : SIZE.W;
}

/** Encodes eBPF as the bytes that `rte_bpf_load` reads: little-endian, registers as two nibbles. */
export function encode(program: readonly ExtendedInsn[]): Uint8Array {
  const bytes = new Uint8Array(program.length * INSN_BYTES);
  const view = new DataView(bytes.buffer);
  program.forEach((insn, index) => {
    const at = index * INSN_BYTES;
    view.setUint8(at, insn.code);
    view.setUint8(at + 1, insn.dst | (insn.src << 4));
    view.setInt16(at + 2, insn.off, true);
    view.setInt32(at + 4, insn.imm, true);
  });
  return bytes;
}

/** The reverse of {@link encode}. */
export function decode(bytes: Uint8Array): ExtendedInsn[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: bytes.length / INSN_BYTES }, (_, index) => {
    const at = index * INSN_BYTES;
    const registers = view.getUint8(at + 1);
    return {
      code: view.getUint8(at),
      dst: registers & 15,
      src: registers >> 4,
      off: view.getInt16(at + 2, true),
      imm: view.getInt32(at + 4, true),
    };
  });
}

/** Classic BPF as an array of `struct bpf_insn`, host order (x86 and arm64 are little-endian). */
export function encodeClassic(program: readonly ClassicInsn[]): Uint8Array {
  const bytes = new Uint8Array(program.length * INSN_BYTES);
  const view = new DataView(bytes.buffer);
  program.forEach((insn, index) => {
    const at = index * INSN_BYTES;
    view.setUint16(at, insn.code, true);
    view.setUint8(at + 2, insn.jt);
    view.setUint8(at + 3, insn.jf);
    view.setUint32(at + 4, insn.k, true);
  });
  return bytes;
}
