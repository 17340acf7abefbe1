/**
 * Packet loads, in two ways. Strict reads the frame as it is. Any reads it as if its VLAN tags were not there: offsets
 * from 12 on are moved by R9, the number of tag bytes, which the preamble has counted. In both, the length is that on
 * the wire: `tcp and greater 1000` asks how long frames are, and must find them tagged and untagged.
 */
import type { MbufLayout } from '../../native/filter-binding.js';
import type { Direction } from '../../native/primary-binding.js';
import { OFFSET_MAX } from '../bpf/analyse.js';
import { isConstant, type Range } from '../bpf/intervals.js';
import { ALU, JMP } from '../bpf/isa.js';
import { type Assembler, REG } from './assembler.js';
import { type LoadBytes, Loads, type Piece, pieces } from './loads.js';
import { loadWireLength, skipTags, TAG_OFFSET } from './tags.js';

export class PacketLoads extends Loads {
  protected readonly settled = TAG_OFFSET;

  constructor(
    asm: Assembler,
    private readonly skips: boolean,
    private readonly layout: MbufLayout,
    private readonly direction: Direction,
  ) {
    super(asm, layout.pktLen);
  }

  length(dst: number): void {
    loadWireLength(this.asm, this.layout, this.direction, dst);
  }

  absolute(offset: number, bytes: LoadBytes): void {
    if (!this.skips || offset + bytes <= TAG_OFFSET) this.asm.loadPacket(bytes, offset);
    else if (offset >= TAG_OFFSET) this.asm.loadPacket(bytes, offset, REG.SKIP);
    else this.assemble(pieces(offset, bytes, [TAG_OFFSET]), (piece) => this.absolute(piece.offset, piece.bytes));
  }

  protected beyond(k: number, bytes: LoadBytes): void {
    this.asm.alu(ALU.ADD, REG.SCRATCH, { reg: REG.SKIP });
    this.asm.loadPacket(bytes, k, REG.SCRATCH);
  }

  override indirect(k: number, bytes: LoadBytes, range: Range): void {
    if (isConstant(range)) {
      this.absolute(range.min + k, bytes);
      return;
    }
    const isProven = range.max + k <= OFFSET_MAX;
    if (!isProven) this.boundX(k);
    if (!this.skips || range.max + k + bytes <= TAG_OFFSET) {
      this.asm.loadPacket(bytes, k, isProven ? REG.X : REG.SCRATCH);
      return;
    }
    if (isProven) this.asm.move(REG.SCRATCH, { reg: REG.X });
    if (range.min + k >= TAG_OFFSET) this.beyond(k, bytes);
    else this.decideAtRunTime(k, bytes);
  }

  /** R0 = bytes at R2 + k (k < 12) when only the packet tells on which side of 12 they lie. R2 is a copy of X. */
  private decideAtRunTime(k: number, bytes: LoadBytes): void {
    const { asm } = this;
    const [load, straddle, done] = [asm.label(), asm.label(), asm.label()];
    const shift = asm.label();
    const wholly = TAG_OFFSET - k - bytes;
    asm.jumpIf(JMP.JGE, REG.SCRATCH, { imm: TAG_OFFSET - k }, shift);
    if (bytes === 1) asm.jump(load);
    else if (wholly < 0) asm.jump(straddle);
    else {
      asm.jumpIf(JMP.JGT, REG.SCRATCH, { imm: wholly }, straddle);
      asm.jump(load);
    }
    asm.place(shift);
    asm.alu(ALU.ADD, REG.SCRATCH, { reg: REG.SKIP });
    asm.place(load);
    asm.loadPacket(bytes, k, REG.SCRATCH);
    if (bytes > 1) {
      asm.jump(done);
      asm.place(straddle);
      const single = Array.from({ length: bytes }, (_, i): Piece => ({ offset: k + i, bytes: 1 }));
      this.assemble(single, (piece) => this.byteNearTag(piece.offset));
    }
    asm.place(done);
  }

  /** R0 = the byte at X + k, where X < 12. */
  private byteNearTag(k: number): void {
    const below = this.asm.label();
    this.asm.move(REG.SCRATCH, { reg: REG.X });
    this.asm.alu(ALU.AND, REG.SCRATCH, { imm: 15 });
    // When k is beyond the addresses, the byte is always after the tags.
    if (k < TAG_OFFSET) this.asm.jumpIf(JMP.JLT, REG.SCRATCH, { imm: TAG_OFFSET - k }, below);
    this.asm.alu(ALU.ADD, REG.SCRATCH, { reg: REG.SKIP });
    this.asm.place(below);
    this.asm.loadPacket(1, k, REG.SCRATCH);
  }

  override enter(): void {
    if (this.skips) skipTags(this.asm, this.pktLenOffset);
  }
}
