/**
 * Loads from the frame as it is on the wire, and in the file that dpcap writes: tags that the NIC has stripped, or is
 * to insert, are put back behind the addresses. Which these are is known when the code is made: see forEachAbsence.
 */

import { ALU } from '../bpf/isa.js';
import { type Assembler, REG } from './assembler.js';
import { type LoadBytes, Loads, pieces } from './loads.js';
import { type AbsentTag, TAG_BYTES, TAG_OFFSET } from './tags.js';

export class TaggedLoads extends Loads {
  protected readonly settled: number;
  private readonly inserted: number;
  private readonly boundaries: number[];

  constructor(
    asm: Assembler,
    private readonly tags: readonly AbsentTag[],
    pktLenOffset: number,
  ) {
    super(asm, pktLenOffset);
    this.inserted = tags.length * TAG_BYTES;
    this.settled = TAG_OFFSET + this.inserted;
    this.boundaries = Array.from({ length: tags.length * 2 + 1 }, (_, half) => TAG_OFFSET + 2 * half);
  }

  length(dst: number): void {
    this.asm.loadMemory(dst, REG.MBUF, this.pktLenOffset);
    this.asm.alu(ALU.ADD, dst, { imm: this.inserted });
  }

  absolute(offset: number, bytes: LoadBytes): void {
    if (offset + bytes <= TAG_OFFSET) this.asm.loadPacket(bytes, offset);
    else if (offset >= this.settled) this.asm.loadPacket(bytes, offset - this.inserted);
    else {
      const parts = pieces(offset, bytes, this.boundaries);
      if (parts.length > 1) this.assemble(parts, (piece) => this.absolute(piece.offset, piece.bytes));
      else this.fromTag(offset - TAG_OFFSET, bytes);
    }
  }

  protected beyond(k: number, bytes: LoadBytes): void {
    const shift = this.inserted - k;
    if (shift > 0) this.asm.alu(ALU.SUB, REG.SCRATCH, { imm: shift });
    this.asm.loadPacket(bytes, Math.max(0, -shift), REG.SCRATCH);
  }

  /** R0 = one or two bytes of the tags, `at` bytes from their start. */
  private fromTag(at: number, bytes: LoadBytes): void {
    const tag = this.tags[Math.floor(at / TAG_BYTES)] as AbsentTag;
    if (at % TAG_BYTES < 2) this.asm.move(REG.A, { imm: tag.tpid });
    else this.asm.loadMemory(REG.A, REG.MBUF, tag.tciOffset, 2);
    if (bytes === 2) return;
    if (at % 2 === 0) this.asm.alu(ALU.RSH, REG.A, { imm: 8 });
    else this.asm.alu(ALU.AND, REG.A, { imm: 255 });
  }
}
