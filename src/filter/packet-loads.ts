/**
 * Packet loads, in two ways. Strict reads the frame as it is. Any reads it as if its VLAN tags were not there: offsets
 * from 12 on are moved by R9, the number of tag bytes, which the preamble has counted.
 */

import { OFFSET_MAX } from './analyse.js';
import { type Assembler, REG } from './assembler.js';
import { ALU, JMP } from './insn.js';
import { bitsBelow, isConstant, type Range } from './ranges.js';

/** Where the first tag of an Ethernet frame lies: after the two addresses. */
export const TAG_OFFSET = 12;
/** TPIDs that make a tag: 802.1Q, 802.1ad, and the older QinQ. */
export const TPIDS = [0x8100, 0x88a8, 0x9100] as const;
/** Tags that are looked through; a frame with more is seen from its sixth tag on. */
export const TAGS_MAX = 5;
const TAG_BYTES = 4;

export type LoadBytes = 1 | 2 | 4;

export class PacketLoads {
  constructor(
    private readonly asm: Assembler,
    private readonly skips: boolean,
    private readonly pktLenOffset: number,
  ) {}

  /** dst = the frame's length. */
  length(dst: number): void {
    this.asm.loadMemory(dst, REG.MBUF, this.pktLenOffset);
    if (this.skips) this.asm.alu(ALU.SUB, dst, { reg: REG.SKIP });
  }

  /** R0 = bytes at a fixed offset, at most OFFSET_MAX. */
  absolute(offset: number, bytes: LoadBytes): void {
    if (!this.skips || offset + bytes <= TAG_OFFSET) this.asm.loadPacket(bytes, offset);
    else if (offset >= TAG_OFFSET) this.asm.loadPacket(bytes, offset, REG.SKIP);
    else this.assemble(pieces(offset, bytes), (piece) => this.absolute(piece.offset, piece.bytes));
  }

  /** R0 = bytes at X + k, where X is known to lie in `range`; ends the program with 0 beyond OFFSET_MAX. */
  indirect(k: number, bytes: LoadBytes, range: Range): void {
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
    if (range.min + k >= TAG_OFFSET) {
      this.asm.alu(ALU.ADD, REG.SCRATCH, { reg: REG.SKIP });
      this.asm.loadPacket(bytes, k, REG.SCRATCH);
    } else {
      this.decideAtRunTime(k, bytes);
    }
  }

  /** R2 = X, having left the program if X + k would be beyond OFFSET_MAX. */
  private boundX(k: number): void {
    this.asm.move(REG.SCRATCH, { reg: REG.X });
    this.asm.jumpIf(JMP.JGT, REG.SCRATCH, { imm: OFFSET_MAX - k }, this.asm.returning(0));
    // Changes nothing after the comparison, but DPDK's verifier, which follows impossible paths too, learns the bound.
    this.asm.alu(ALU.AND, REG.SCRATCH, { imm: bitsBelow(OFFSET_MAX - k) });
  }

  /** R0 = bytes at R2 + k (k < 12), R2 being a copy of X, when only the packet tells on which side of 12 they lie. */
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
    // With k beyond the addresses the byte is always after the tags.
    if (k < TAG_OFFSET) this.asm.jumpIf(JMP.JLT, REG.SCRATCH, { imm: TAG_OFFSET - k }, below);
    this.asm.alu(ALU.ADD, REG.SCRATCH, { reg: REG.SKIP });
    this.asm.place(below);
    this.asm.loadPacket(1, k, REG.SCRATCH);
  }

  /** R0 = the pieces one after the other, collected in R7. */
  private assemble(parts: Piece[], load: (piece: Piece) => void): void {
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

  /** R9 = bytes of tags. A tag counts when the frame also holds the two bytes after it. Ends with R0 unknown. */
  preamble(): void {
    const { asm } = this;
    const entry = asm.label();
    asm.move(REG.SKIP, { imm: 0 });
    asm.loadMemory(REG.TEMP, REG.MBUF, this.pktLenOffset);
    for (let tag = 0; tag < TAGS_MAX; tag++) {
      const found = asm.label();
      const at = TAG_OFFSET + tag * TAG_BYTES;
      asm.jumpIf(JMP.JLT, REG.TEMP, { imm: at + TAG_BYTES + 2 }, entry);
      asm.loadPacket(2, at);
      // IPv4 and ARP are below all TPIDs: one comparison for most traffic.
      asm.jumpIf(JMP.JLT, REG.A, { imm: Math.min(...TPIDS) }, entry);
      TPIDS.slice(0, -1).forEach((tpid) => {
        asm.jumpIf(JMP.JEQ, REG.A, { imm: tpid }, found);
      });
      asm.jumpIf(JMP.JNE, REG.A, { imm: TPIDS.at(-1) as number }, entry);
      asm.place(found);
      asm.move(REG.SKIP, { imm: (tag + 1) * TAG_BYTES });
    }
    asm.place(entry);
    this.forgetTags();
  }

  /**
   * Makes the verifier see the same registers whatever the number of tags. It walks every path whose registers differ
   * from those it has seen, even in registers nobody reads again: without this it would walk the program once per
   * number of tags at every branch, which takes minutes, in the primary's control thread. Two swaps are no change, but
   * of their result the verifier only knows that it is 32 bits wide.
   */
  private forgetTags(): void {
    this.asm.swap(REG.SKIP);
    this.asm.swap(REG.SKIP);
    this.asm.move(REG.TEMP, { reg: REG.SKIP });
    this.asm.move(REG.A, { reg: REG.SKIP });
  }
}

interface Piece {
  offset: number;
  bytes: LoadBytes;
}

/** Splits bytes around the tag's place into loads of 1 and 2 bytes that do not cross it. */
function pieces(offset: number, bytes: LoadBytes): Piece[] {
  const head = TAG_OFFSET - offset;
  const cut = (from: number, length: number): Piece[] =>
    length === 3 ? [...cut(from, 1), ...cut(from + 1, 2)] : [{ offset: from, bytes: length as LoadBytes }];
  return [...cut(offset, head), ...cut(TAG_OFFSET, bytes - head)];
}
