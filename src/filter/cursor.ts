/**
 * Walking along headers: R9 is the offset of the one that is read; R8 (FIELD) and R7 hold fields across loads. Every place
 * that several ways lead to is entered with the same knowledge about the registers, or DPDK's verifier would walk what
 * follows once for each way.
 */
import { type Assembler, type Label, REG } from './assembler.js';
import { ALU, JMP } from './insn.js';

const { SKIP, X: FIELD, TEMP, A, SCRATCH } = REG;

/** Puts a label down where ways meet, and makes the registers the same for the verifier on all of them. */
export function enter(asm: Assembler, label: Label, { keepsField = false } = {}): void {
  asm.place(label);
  asm.move(A, { imm: 0 });
  asm.move(SCRATCH, { imm: 0 });
  asm.move(TEMP, { imm: 0 });
  if (keepsField) asm.forget(FIELD);
  else asm.move(FIELD, { imm: 0 });
  asm.forget(SKIP);
}

export class Cursor {
  constructor(
    protected readonly asm: Assembler,
    /** Where a packet goes that has no tunnel we know. */
    protected readonly reject: Label,
  ) {}

  protected load(bytes: 1 | 2, offset: number): void {
    this.asm.loadPacket(bytes, offset, SKIP);
  }

  protected advance(bytes: number): void {
    this.asm.alu(ALU.ADD, SKIP, { imm: bytes });
  }

  protected advanceBy(register: number): void {
    this.asm.alu(ALU.ADD, SKIP, { reg: register });
  }

  /** The choice of where to go on by the value of R0. */
  protected switchOn(cases: [number, Label][]): void {
    for (const [value, label] of cases) this.asm.jumpIf(JMP.JEQ, A, { imm: value }, label);
    this.asm.jump(this.reject);
  }

  /** R9 += bytes when FIELD has the flag. */
  protected advanceIf(flag: number, bytes: number): void {
    const { asm } = this;
    const skip = asm.label();
    asm.move(A, { reg: FIELD });
    asm.alu(ALU.AND, A, { imm: flag });
    asm.jumpIf(JMP.JEQ, A, { imm: 0 }, skip);
    this.advance(bytes);
    asm.place(skip);
    asm.move(A, { imm: 0 });
    asm.forget(SKIP);
  }
}
