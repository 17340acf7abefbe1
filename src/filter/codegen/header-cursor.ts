/**
 * Walking along headers: R9 is the offset of the one that is read, R8 (FIELD) holds a field across loads.
 *
 * DPDK's verifier walks what follows a jump once for each different state of the registers, and remembers few states. So
 * places that several ways lead to are entered with the same knowledge about R8 and R9; and what is there begins with a
 * packet load, after which it knows the same about R0 to R5 anyway.
 */

import { ALU, JMP } from '../bpf/isa.js';
import { type Assembler, type Label, REG } from './assembler.js';

const { SKIP, X: FIELD, A } = REG;

/** Puts a label down. Where ways meet R9 is forgotten, and R8 set: to `field`, or by the caller before the next jump. */
export function enter(asm: Assembler, label: Label, field?: number): void {
  const meet = asm.waysTo(label) > 1;
  asm.place(label);
  if (!meet) return;
  asm.forget(SKIP);
  if (field !== undefined) asm.move(FIELD, { imm: field });
}

export class Cursor {
  constructor(
    protected readonly asm: Assembler,
    /** Where a packet goes that has no tunnel we know. */
    protected readonly reject: Label,
  ) {}

  protected load(bytes: 1 | 2 | 4, offset: number): void {
    this.asm.loadPacket(bytes, offset, SKIP);
  }

  protected advance(bytes: number): void {
    this.asm.alu(ALU.ADD, SKIP, { imm: bytes });
  }

  protected advanceBy(register: number): void {
    this.asm.alu(ALU.ADD, SKIP, { reg: register });
  }

  /** R9 += bytes (a power of two) when that bit of FIELD is set: without a branch, or the verifier would walk two ways. */
  protected advanceIf(bit: number, bytes: number): void {
    const { asm } = this;
    asm.move(A, { reg: FIELD });
    asm.alu(ALU.RSH, A, { imm: bit - Math.log2(bytes) });
    asm.alu(ALU.AND, A, { imm: bytes });
    this.advanceBy(A);
  }

  /** The choice of where to go on by the value of R0. The last label is best put down next. */
  protected switchOn(cases: [number, Label][]): void {
    for (const [value, label] of cases) this.asm.jumpIf(JMP.JEQ, A, { imm: value }, label);
    this.asm.jump(this.reject);
  }
}
