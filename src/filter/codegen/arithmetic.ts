/** Arithmetic of the classic machine on A, where eBPF's own means something else, or its verifier refuses it. */
import type { ClassicInsn } from '../../native/filter-binding.js';
import type { State } from '../bpf/analyse.js';
import { constant } from '../bpf/intervals.js';
import { ALU, JMP, SRC } from '../bpf/isa.js';
import { type Assembler, type Operand, REG } from './assembler.js';

/** The second operand of an arithmetic instruction or a comparison. */
export const operand = ({ code, k }: ClassicInsn): Operand => ((code & SRC.X) === 0 ? { imm: k } : { reg: REG.X });

/** Emits one arithmetic instruction; `state` is what is known before it. A division by 0 ends the program with 0. */
export function arithmetic(asm: Assembler, insn: ClassicInsn, state: State): void {
  const op = insn.code & 0xf0;
  const other = operand(insn);
  if (op === ALU.NEG) asm.alu(op, REG.A, { imm: 0 });
  else if (op === ALU.LSH || op === ALU.RSH) shift(asm, op, other, state);
  else if ('reg' in other && (op === ALU.DIV || op === ALU.MOD)) divideByX(asm, op, state);
  else asm.alu(op, REG.A, other);
}

/** Divides A by X; ends the program with 0 when X is 0. */
function divideByX(asm: Assembler, op: number, state: State): void {
  asm.move(REG.SCRATCH, { reg: REG.X });
  // On a path where the verifier believes that X is the constant 0, it would refuse the division, although the
  // comparison before it leaves the program.
  asm.forget(REG.SCRATCH);
  if (state.x.min === 0) asm.jumpIf(JMP.JEQ, REG.SCRATCH, { imm: 0 }, asm.returning(0));
  asm.alu(op, REG.A, { reg: REG.SCRATCH });
}

/** A shift by 32 or more gives 0 in libpcap; eBPF leaves it undefined. */
function shift(asm: Assembler, op: number, other: Operand, state: State): void {
  const distance = 'imm' in other ? constant(other.imm) : state.x;
  if (distance.max < 32) {
    asm.alu(op, REG.A, other);
    return;
  }
  if (distance.min >= 32) {
    asm.move(REG.A, { imm: 0 });
    return;
  }
  const [far, done] = [asm.label(), asm.label()];
  asm.jumpIf(JMP.JGT, REG.X, { imm: 31 }, far);
  asm.alu(op, REG.A, other);
  asm.jump(done);
  asm.place(far);
  asm.move(REG.A, { imm: 0 });
  asm.place(done);
}
