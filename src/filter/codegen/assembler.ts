/** Collects eBPF instructions whose jumps lead to labels, tidies the jumps, and resolves them. */
import { ALU, CLASS, type ExtendedInsn, JMP, MODE, SIZE, SRC, sizeBits } from '../bpf/isa.js';
import type { Item, Label } from './peephole.js';
import { resolve } from './resolve.js';

export type { Label } from './peephole.js';

/** A second operand: a register, or an unsigned 32-bit value. */
export type Operand = { reg: number } | { imm: number };

/**
 * Registers as the converter uses them. Packet loads find the mbuf in R6, leave their result in R0 and clobber R1 to
 * R5. So A lives in R0, and everything that must survive a load lives in R6 to R9.
 */
export const REG = { A: 0, ARGUMENT: 1, SCRATCH: 2, MBUF: 6, TEMP: 7, X: 8, SKIP: 9, FRAME: 10 } as const;

/**
 * True when an immediate would not mean what it says. A comparison is 64 bits wide and sign-extends the immediate (for
 * JSET the sign bits meet zeros). And the x86 JIT of 22.11 writes a one-byte immediate where TEST has four bytes, which
 * derails the code. pdump interprets the program, but it must hold nothing that can crash another user of it.
 */
function needsRegister(op: number, imm: number): boolean {
  const signed = imm | 0;
  return op === JMP.JSET ? signed >= -128 && signed <= 127 : signed < 0;
}

export class Assembler {
  /** Scratch words of the classic machine that the programs so far have a slot for, from the top of the stack down. */
  words = 0;
  /** Registers that the instructions so far write. */
  readonly written = new Set<number>();
  private readonly items: Item[] = [];
  private labels = 0;
  private returns = new Map<number, Label>();

  label(): Label {
    return this.labels++;
  }

  place(label: Label): void {
    this.items.push({ label });
  }

  /** The number of paths to a label that is placed here. Jumps go forward only, so all of the paths are known. */
  waysTo(label: Label): number {
    const last = this.items.at(-1)?.insn?.code;
    const fallsThrough = last !== (CLASS.JMP | JMP.JA) && last !== (CLASS.JMP | JMP.EXIT);
    return this.items.filter(({ target }) => target === label).length + Number(fallsThrough);
  }

  /** 32-bit arithmetic: the result is zero-extended, as A and X must always be. */
  alu(op: number, dst: number, operand: Operand): void {
    if ('reg' in operand) this.emit(CLASS.ALU | op | SRC.X, dst, operand.reg, 0, 0);
    else this.emit(CLASS.ALU | op | SRC.K, dst, 0, 0, operand.imm | 0);
  }

  move(dst: number, operand: Operand): void {
    if ('reg' in operand && operand.reg === dst) return;
    this.alu(ALU.MOV, dst, operand);
  }

  /** A copy of all 64 bits: the only way to copy a pointer. */
  movePointer(dst: number, src: number): void {
    this.emit(CLASS.ALU64 | ALU.MOV | SRC.X, dst, src, 0, 0);
  }

  /** R0 = packet bytes at `offset`, host order; ends the program with 0 when the packet does not hold them. */
  loadPacket(bytes: 1 | 2 | 4, offset: number, index?: number): void {
    const mode = index === undefined ? MODE.ABS : MODE.IND;
    this.emit(CLASS.LD | mode | sizeBits(bytes), 0, index ?? 0, 0, offset | 0);
  }

  /** Swaps the four bytes twice. Nothing changes, but the verifier then only knows that the result is 32 bits wide. */
  forget(dst: number): void {
    for (let time = 0; time < 2; time++) this.emit(CLASS.ALU | ALU.END | SRC.X, dst, 0, 0, 32);
  }

  /** Loads 32 or 16 bits from memory: from the stack or the mbuf's own fields. */
  loadMemory(dst: number, base: number, off: number, bytes: 2 | 4 = 4): void {
    this.emit(CLASS.LDX | MODE.MEM | sizeBits(bytes), dst, base, off, 0);
  }

  storeMemory(base: number, off: number, src: number): void {
    this.emit(CLASS.STX | MODE.MEM | SIZE.W, base, src, off, 0);
  }

  jump(target: Label): void {
    this.items.push({ insn: { code: CLASS.JMP | JMP.JA, dst: 0, src: 0, off: 0, imm: 0 }, target });
  }

  /** Jumps when `dst op operand`, compared as unsigned numbers. */
  jumpIf(op: number, dst: number, operand: Operand, target: Label): void {
    let source = operand;
    if ('imm' in operand && needsRegister(op, operand.imm)) {
      this.move(REG.SCRATCH, operand);
      source = { reg: REG.SCRATCH };
    }
    const isRegister = 'reg' in source;
    const insn = {
      code: CLASS.JMP | op | (isRegister ? SRC.X : SRC.K),
      dst,
      src: 'reg' in source ? source.reg : 0,
      off: 0,
      imm: 'imm' in source ? source.imm | 0 : 0,
    };
    this.items.push({ insn, target });
  }

  /** The label of the shared `return value`, which is placed at the end of the program when it is used. */
  returning(value: number): Label {
    const known = this.returns.get(value);
    if (known !== undefined) return known;
    const label = this.label();
    this.returns.set(value, label);
    return label;
  }

  /** Ends the program with the value in R0. */
  exit(): void {
    this.emit(CLASS.JMP | JMP.EXIT, 0, 0, 0, 0);
  }

  /**
   * The finished program.
   * @throws UsageError ERR_FILTER_UNSUPPORTED when a jump is longer than an instruction can hold
   */
  finish(): ExtendedInsn[] {
    for (const [value, label] of this.returns) {
      this.place(label);
      this.move(REG.A, { imm: value });
      this.exit();
    }
    return resolve(this.items);
  }

  private emit(code: number, dst: number, src: number, off: number, imm: number): void {
    this.written.add(dst);
    this.items.push({ insn: { code, dst, src, off, imm } });
  }
}
