/**
 * Walks along headers: R9 is the offset of the header that is read, R8 (FIELD) holds a field across loads.
 *
 * DPDK's verifier walks the code behind a jump once for each different state of the registers, and remembers few
 * states. So a place that several paths lead to is entered with the same knowledge about R8 and R9, and its code begins
 * with a packet load, after which the verifier knows the same about R0 to R5 anyway.
 */

import { ALU, JMP } from '../bpf/isa.js';
import { type Assembler, type Label, REG } from './assembler.js';

const { SKIP, X: FIELD, A } = REG;

/** Places a label. Where paths meet, R9 is forgotten and R8 set: to `field`, or by the caller before the next jump. */
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
    /** Where a packet goes that has no known tunnel. */
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

  /** R9 += bytes (a power of two) when that bit of FIELD is set. A branch would give the verifier two paths to walk. */
  protected advanceIf(bit: number, bytes: number): void {
    const { asm } = this;
    asm.move(A, { reg: FIELD });
    asm.alu(ALU.RSH, A, { imm: bit - Math.log2(bytes) });
    asm.alu(ALU.AND, A, { imm: bytes });
    this.advanceBy(A);
  }

  /** Chooses by the value of R0 where to go on. The last label is best placed next. */
  protected switchOn(cases: [number, Label][]): void {
    for (const [value, label] of cases) this.asm.jumpIf(JMP.JEQ, A, { imm: value }, label);
    this.asm.jump(this.reject);
  }
}
