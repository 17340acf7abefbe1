/**
 * How a classic program's packet loads reach the packet. Each kind of view maps the offsets of the frame that the
 * program was written for to the bytes that are in the primary; see packet-loads, tagged-loads and inner-loads.
 */
import { type FixedBytes, OFFSET_MAX } from '../bpf/analyse.js';
import { bitsBelow, isConstant, type Range } from '../bpf/intervals.js';
import { ALU, JMP } from '../bpf/isa.js';
import { type Assembler, REG } from './assembler.js';

export type LoadBytes = 1 | 2 | 4;

export interface Piece {
  offset: number;
  bytes: LoadBytes;
}

export abstract class Loads {
  constructor(
    protected readonly asm: Assembler,
    protected readonly pktLenOffset: number,
  ) {}

  /** Tells which bytes of the frame are known when the code is made; undefined when none are. */
  readonly fixed: FixedBytes | undefined = undefined;

  /** From this offset on the frame's bytes lie in the packet one after the other. */
  protected abstract readonly settled: number;

  /** R0 = bytes at R2 + k, which is at least `settled`. */
  protected abstract beyond(k: number, bytes: LoadBytes): void;

  /** dst = the frame's length. */
  abstract length(dst: number): void;

  /** R0 = bytes at a fixed offset, at most OFFSET_MAX. */
  abstract absolute(offset: number, bytes: LoadBytes): void;

  /** Emits what has to be done once, before the first load. */
  enter(): void {}

  /** R0 = bytes at X + k, where X is known to lie in `range`; ends the program with 0 beyond OFFSET_MAX. */
  indirect(k: number, bytes: LoadBytes, range: Range): void {
    if (isConstant(range)) {
      this.absolute(range.min + k, bytes);
      return;
    }
    if (range.max + k > OFFSET_MAX) this.boundX(k);
    else this.asm.move(REG.SCRATCH, { reg: REG.X });
    if (range.min + k >= this.settled) this.beyond(k, bytes);
    else this.choose(k, bytes, range);
  }

  /** Emits one branch for each offset below `settled`. Such loads are rare, and the code is easy to check. */
  private choose(k: number, bytes: LoadBytes, range: Range): void {
    const { asm } = this;
    const done = asm.label();
    const offsets = Array.from({ length: this.settled }, (_, offset) => offset).filter(
      (offset) => offset >= range.min + k && offset <= range.max + k,
    );
    const cases = offsets.map((offset) => {
      const label = asm.label();
      asm.jumpIf(JMP.JEQ, REG.SCRATCH, { imm: offset - k }, label);
      return { label, offset };
    });
    if (range.max + k >= this.settled) {
      this.beyond(k, bytes);
      asm.jump(done);
    }
    for (const { label, offset } of cases) {
      asm.place(label);
      this.absolute(offset, bytes);
      asm.jump(done);
    }
    asm.place(done);
    this.meet();
  }

  /**
   * Makes the verifier see the same registers on all ways to this place: it remembers two states for each comparison, and
   * would walk what follows once for each way, and after the next such load for each two of them.
   */
  private meet(): void {
    const { asm } = this;
    asm.forget(REG.A);
    asm.move(REG.SCRATCH, { imm: 0 });
    // Only where it was used: the JIT of 22.11 does not save a register that is only set to a constant.
    if (asm.written.has(REG.TEMP)) asm.move(REG.TEMP, { imm: 0 });
  }

  /** R2 = X; ends the program with 0 when X + k would be beyond OFFSET_MAX. */
  protected boundX(k: number): void {
    this.asm.move(REG.SCRATCH, { reg: REG.X });
    this.asm.jumpIf(JMP.JGT, REG.SCRATCH, { imm: OFFSET_MAX - k }, this.asm.returning(0));
    // This changes nothing after the comparison, but DPDK's verifier, which follows impossible paths too, learns the
    // bound.
    this.asm.alu(ALU.AND, REG.SCRATCH, { imm: bitsBelow(OFFSET_MAX - k) });
  }

  /** R0 = the pieces one after the other, collected in R7. */
  protected assemble(parts: readonly Piece[], load: (piece: Piece) => void): void {
    parts.forEach((piece, index) => {
      load(piece);
      if (index === 0) {
        this.asm.move(REG.TEMP, { reg: REG.A });
        return;
      }
      this.asm.alu(ALU.LSH, REG.TEMP, { imm: 8 * piece.bytes });
      this.asm.alu(ALU.OR, REG.TEMP, { reg: REG.A });
    });
    this.asm.move(REG.A, { reg: REG.TEMP });
  }
}

/** Splits bytes into loads of 1, 2 or 4 bytes that cross none of `boundaries` (ascending). */
export function pieces(offset: number, bytes: number, boundaries: readonly number[]): Piece[] {
  if (bytes === 0) return [];
  const next = boundaries.find((boundary) => boundary > offset) ?? Number.POSITIVE_INFINITY;
  const run = Math.min(bytes, next - offset);
  const size = run === 3 ? 1 : run;
  return [{ offset, bytes: size as LoadBytes }, ...pieces(offset + size, bytes - size, boundaries)];
}
