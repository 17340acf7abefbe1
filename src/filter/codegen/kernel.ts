/**
 * The third target of filters, beside librte_bpf and the agent's machine code: eBPF for the kernel, whose verifier wants
 * each load from a packet within bounds that it knows. The filter that was made for an mbuf is translated; it sees the
 * first bytes of a packet, which the probes' program has copied (`struct dpcap_probe_header`, native/ebpf/kernel/probe.h).
 *
 * Where the filter would look beyond these bytes, and the packet goes on there, it is undecided.
 */
import type { MbufLayout } from '../../native/filter-binding.js';
import { ALU, CLASS, type ExtendedInsn, JMP, loadBytes, MODE, SIZE, SRC, sizeBits } from '../bpf/isa.js';
import { REG } from './assembler.js';
import type { Item, Label } from './peephole.js';
import { resolve } from './resolve.js';

/** The bytes of a packet that a filter sees in the kernel. */
export const HEADER_BYTES = 256;
/** No packet that is filtered has more: the rest of a longer one is not copied. */
const MOST_BYTES = 65535;
/** Room for a filter in the probes' program; two instructions jump there. */
export const KERNEL_INSN_MAX = 16384 - 2;

/** What a filter says of a packet. */
export const VERDICT = { refused: 0, selected: 1, undecided: 2 } as const;

/** Where `struct dpcap_probe_header` has what. */
const FIELD = { olFlags: 0, caplen: 16, vlanTci: 18, vlanTciOuter: 20, bytes: 24 } as const;

/** Registers that filters leave alone: nothing is called from here, so that nothing is lost in them. */
const { A, ARGUMENT: AT, MBUF, FRAME } = REG;
const KNOWN_JUMPS: ReadonlySet<number> = new Set(Object.values(JMP));
const END = 3;
const LENGTH = 4;
const HEADER = 5;

/**
 * Translates a filter program. Undefined for one that is too long for the kernel's programs, or has anything that filters
 * do not have.
 */
export function forKernel(program: readonly ExtendedInsn[], layout: MbufLayout): ExtendedInsn[] | undefined {
  const translated = new Translation(program, layout).run();
  return translated === undefined || translated.length > KERNEL_INSN_MAX ? undefined : translated;
}

/** Whether the program looks, or may look, at bytes that it does not see in the kernel. */
export function mayBeUndecided(program: readonly ExtendedInsn[]): boolean {
  return program.some(({ code, imm }) => {
    if ((code & 7) !== CLASS.LD) return false;
    return (code & 0xe0) === MODE.IND || (imm >>> 0) + loadBytes(code) > HEADER_BYTES;
  });
}

class Translation {
  private readonly items: Item[] = [];
  private readonly fields: ReadonlyMap<number, number>;
  private readonly refused: Label;
  private readonly undecided: Label;
  private readonly decided: Label;

  /** The labels of the program's instructions are their numbers. */
  constructor(
    private readonly program: readonly ExtendedInsn[],
    private readonly layout: MbufLayout,
  ) {
    [this.refused, this.undecided, this.decided] = [1, 2, 3].map((past) => program.length + past) as [
      Label,
      Label,
      Label,
    ];
    this.fields = new Map([
      [layout.olFlags, FIELD.olFlags],
      [layout.olFlags + 4, FIELD.olFlags + 4],
      [layout.vlanTci, FIELD.vlanTci],
      [layout.vlanTciOuter, FIELD.vlanTciOuter],
    ]);
  }

  run(): ExtendedInsn[] | undefined {
    this.jump(JMP.JEQ, AT, 0, this.refused); // the verifier wants to be told that it is there
    this.emit(CLASS.ALU64 | ALU.MOV | SRC.X, HEADER, AT);
    this.emit(CLASS.LDX | MODE.MEM | SIZE.H, LENGTH, HEADER, FIELD.caplen);
    const isTranslated = this.program.every((insn, at) => {
      this.place(at);
      return this.translate(insn, at);
    });
    if (!isTranslated || this.items.length > 2 * KERNEL_INSN_MAX) return undefined; // half of it may be labels
    this.end();
    return resolve(this.items);
  }

  /** A program that selects may return any number. The last way out is the end of the code that this is put into. */
  private end(): void {
    const done = this.program.length + 4;
    this.place(this.decided);
    this.jump(JMP.JEQ, A, 0, this.refused);
    this.constant(VERDICT.selected);
    this.goTo(done);
    this.place(this.refused);
    this.constant(VERDICT.refused);
    this.goTo(done);
    this.place(this.undecided);
    this.constant(VERDICT.undecided);
    this.place(done);
  }

  private translate(insn: ExtendedInsn, at: number): boolean {
    switch (insn.code & 7) {
      case CLASS.LD:
        return this.load(insn);
      case CLASS.LDX:
        return this.loadMemory(insn);
      case CLASS.JMP:
        return this.branch(insn, at);
      case CLASS.ALU64: // only moves of the mbuf's pointer
        if (insn.src === AT && insn.dst === MBUF) return true;
        return false;
      case CLASS.ALU:
      case CLASS.STX:
        this.items.push({ insn });
        return true;
      default:
        return false;
    }
  }

  private branch({ code, dst, src, off, imm }: ExtendedInsn, at: number): boolean {
    if ((code & 0xf0) === JMP.EXIT) this.goTo(this.decided);
    else this.items.push({ insn: { code, dst, src, off: 0, imm }, target: at + 1 + off });
    return KNOWN_JUMPS.has(code & 0xf0);
  }

  private load({ code, src, imm }: ExtendedInsn): boolean {
    const bytes = loadBytes(code);
    if ((code & 0xe0) === MODE.ABS) this.absolute(imm >>> 0, bytes);
    else if ((code & 0xe0) === MODE.IND) this.indirect(src, imm, bytes);
    else return false;
    return true;
  }

  private absolute(offset: number, bytes: 1 | 2 | 4): void {
    const end = offset + bytes;
    if (end > MOST_BYTES) {
      this.goTo(this.refused);
      return;
    }
    this.jump(JMP.JLT, LENGTH, end, this.refused);
    if (end > HEADER_BYTES) this.goTo(this.undecided);
    else this.take(HEADER, offset, bytes);
  }

  /** The place is a sum of 32 bits, as it is in librte_bpf. */
  private indirect(index: number, offset: number, bytes: 1 | 2 | 4): void {
    this.emit(CLASS.ALU | ALU.MOV | SRC.X, AT, index);
    if (offset !== 0) this.emit(CLASS.ALU | ALU.ADD | SRC.K, AT, 0, 0, offset);
    this.emit(CLASS.ALU64 | ALU.MOV | SRC.X, END, AT);
    this.emit(CLASS.ALU64 | ALU.ADD | SRC.K, END, 0, 0, bytes);
    this.items.push({
      insn: { code: CLASS.JMP | JMP.JGT | SRC.X, dst: END, src: LENGTH, off: 0, imm: 0 },
      target: this.refused,
    });
    this.jump(JMP.JGT, AT, HEADER_BYTES - bytes, this.undecided);
    this.emit(CLASS.ALU64 | ALU.ADD | SRC.X, AT, HEADER);
    this.take(AT, 0, bytes);
  }

  /** R0 = bytes of the packet, from network order. */
  private take(base: number, offset: number, bytes: 1 | 2 | 4): void {
    this.emit(CLASS.LDX | MODE.MEM | sizeBits(bytes), A, base, FIELD.bytes + offset);
    if (bytes > 1) this.emit(CLASS.ALU | ALU.END | SRC.X, A, 0, 0, 8 * bytes);
  }

  private loadMemory(insn: ExtendedInsn): boolean {
    const { code, dst, src, off } = insn;
    if (src === FRAME) {
      this.items.push({ insn });
      return true;
    }
    if (src !== MBUF) return false;
    if (off === this.layout.pktLen) {
      this.emit(CLASS.ALU | ALU.MOV | SRC.X, dst, LENGTH);
      return true;
    }
    const field = this.fields.get(off);
    if (field === undefined) return false;
    this.emit(code, dst, HEADER, field);
    return true;
  }

  private constant(value: number): void {
    this.emit(CLASS.ALU | ALU.MOV | SRC.K, A, 0, 0, value);
  }

  private place(label: Label): void {
    this.items.push({ label });
  }

  private goTo(target: Label): void {
    this.items.push({ insn: { code: CLASS.JMP | JMP.JA, dst: 0, src: 0, off: 0, imm: 0 }, target });
  }

  private jump(op: number, dst: number, imm: number, target: Label): void {
    this.items.push({ insn: { code: CLASS.JMP | op | SRC.K, dst, src: 0, off: 0, imm }, target });
  }

  private emit(code: number, dst: number, src: number, off = 0, imm = 0): void {
    this.items.push({ insn: { code, dst, src, off, imm } });
  }
}
