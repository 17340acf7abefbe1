/**
 * Loads from the packet inside a tunnel, which decapsulate.ts has found. R9 is the offset of the inner IP header (or of
 * what else follows the ethertype), less 14; tags are looked through. Where the tunnel carries bare IP, the frame has
 * an ethertype but no addresses: a filter that reads the addresses does not match.
 */

import { ALU, JMP } from '../bpf/isa.js';
import { type Assembler, REG } from './assembler.js';
import { type LoadBytes, Loads, pieces } from './loads.js';
import { TAG_OFFSET } from './tags.js';

/** Stack slots that decapsulate.ts fills; the classic program's own words lie above them. */
export const SLOT = {
  /** Where the inner frame's addresses are in the packet; 0 when it has none. */
  addresses: -136,
  /** The ethertype behind the tags. */
  type: -144,
} as const;

const TYPE_END = TAG_OFFSET + 2;

export class InnerLoads extends Loads {
  protected readonly settled = TYPE_END;

  /** @param literal tags are read as they stand, as by `vlan`; otherwise they are looked through */
  constructor(
    asm: Assembler,
    pktLenOffset: number,
    private readonly literal: boolean,
  ) {
    super(asm, pktLenOffset);
  }

  /** The length from the inner frame's addresses to the outer packet's end, as if bare IP had an Ethernet header. */
  length(dst: number): void {
    const { asm } = this;
    const known = asm.label();
    asm.loadMemory(REG.SCRATCH, REG.FRAME, SLOT.addresses);
    asm.jumpIf(JMP.JNE, REG.SCRATCH, { imm: 0 }, known);
    asm.move(REG.SCRATCH, { reg: REG.SKIP });
    asm.place(known);
    asm.loadMemory(dst, REG.MBUF, this.pktLenOffset);
    asm.alu(ALU.SUB, dst, { reg: REG.SCRATCH });
    asm.move(REG.SCRATCH, { imm: 0 });
  }

  absolute(offset: number, bytes: LoadBytes): void {
    const { asm } = this;
    if (offset >= TYPE_END) asm.loadPacket(bytes, offset, REG.SKIP);
    else if (offset + bytes <= TAG_OFFSET) this.address(offset, bytes);
    else if (offset >= TAG_OFFSET && offset + bytes <= TYPE_END) this.type(offset - TAG_OFFSET, bytes);
    else {
      const parts = pieces(offset, bytes, [TAG_OFFSET, TYPE_END]);
      this.assemble(parts, (piece) => this.absolute(piece.offset, piece.bytes));
    }
  }

  protected beyond(k: number, bytes: LoadBytes): void {
    this.asm.alu(ALU.ADD, REG.SCRATCH, { reg: REG.SKIP });
    this.asm.loadPacket(bytes, k, REG.SCRATCH);
  }

  /** For a literal reading, R9 and the ethertype become those in front of the tags. */
  override enter(): void {
    const { asm } = this;
    if (!this.literal) return;
    const isBare = asm.label();
    asm.loadMemory(REG.A, REG.FRAME, SLOT.addresses);
    asm.jumpIf(JMP.JEQ, REG.A, { imm: 0 }, isBare);
    asm.move(REG.SKIP, { reg: REG.A });
    asm.loadPacket(2, TAG_OFFSET, REG.SKIP);
    asm.storeMemory(REG.FRAME, SLOT.type, REG.A);
    asm.place(isBare);
    asm.forget(REG.SKIP);
    asm.loadMemory(REG.A, REG.FRAME, SLOT.type);
    asm.forget(REG.A);
    asm.storeMemory(REG.FRAME, SLOT.type, REG.A);
  }

  private address(offset: number, bytes: LoadBytes): void {
    const { asm } = this;
    asm.loadMemory(REG.SCRATCH, REG.FRAME, SLOT.addresses);
    asm.jumpIf(JMP.JEQ, REG.SCRATCH, { imm: 0 }, asm.returning(0));
    asm.loadPacket(bytes, offset, REG.SCRATCH);
  }

  private type(at: number, bytes: LoadBytes): void {
    const { asm } = this;
    asm.loadMemory(REG.A, REG.FRAME, SLOT.type);
    if (bytes === 2) return;
    if (at === 0) asm.alu(ALU.RSH, REG.A, { imm: 8 });
    else asm.alu(ALU.AND, REG.A, { imm: 255 });
  }
}
