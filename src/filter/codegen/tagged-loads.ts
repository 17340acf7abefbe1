/**
 * Loads from the frame as it is on the wire, and in the file that dpcap writes: tags that the NIC has stripped, or is
 * to insert, are put back behind the addresses. Which these are is known when the code is made: see forEachAbsence.
 */

import { type FixedBytes, OFFSET_MAX } from '../bpf/analyse.js';
import { isConstant, type Range } from '../bpf/intervals.js';
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

  /** TPIDs: a program that does not ask for tags compares them with its EtherTypes, and is no more than its verdict. */
  override readonly fixed: FixedBytes = (offset, bytes) => {
    const at = offset - TAG_OFFSET;
    if (at < 0 || at >= this.inserted || (at % TAG_BYTES) + bytes > 2) return undefined;
    const { tpid } = this.tags[Math.floor(at / TAG_BYTES)] as AbsentTag;
    if (bytes === 2) return tpid;
    return at % 2 === 0 ? tpid >> 8 : tpid & 255;
  };

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
      else this.fromTag(offset, bytes);
    }
  }

  /** Behind all tags, X serves as it is: what is missing in front of the place is taken off the fixed part. */
  override indirect(k: number, bytes: LoadBytes, range: Range): void {
    const isBehind = range.min + k >= this.settled && range.max + k <= OFFSET_MAX && k >= this.inserted;
    if (isBehind && !isConstant(range)) this.asm.loadPacket(bytes, k - this.inserted, REG.X);
    else super.indirect(k, bytes, range);
  }

  protected beyond(k: number, bytes: LoadBytes): void {
    const shift = this.inserted - k;
    if (shift > 0) this.asm.alu(ALU.SUB, REG.SCRATCH, { imm: shift });
    this.asm.loadPacket(bytes, Math.max(0, -shift), REG.SCRATCH);
  }

  /** R0 = one or two bytes of the tags, of a TPID or of a TCI. */
  private fromTag(offset: number, bytes: LoadBytes): void {
    const { asm } = this;
    const tpid = this.fixed(offset, bytes);
    if (tpid !== undefined) {
      asm.move(REG.A, { imm: tpid });
      return;
    }
    const at = offset - TAG_OFFSET;
    asm.loadMemory(REG.A, REG.MBUF, (this.tags[Math.floor(at / TAG_BYTES)] as AbsentTag).tciOffset, 2);
    if (bytes === 2) return;
    if (at % 2 === 0) asm.alu(ALU.RSH, REG.A, { imm: 8 });
    else asm.alu(ALU.AND, REG.A, { imm: 255 });
  }
}
