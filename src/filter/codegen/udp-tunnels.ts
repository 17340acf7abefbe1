/** The tunnels in UDP: VXLAN, Geneve, GTP-U. See decapsulate.ts. */

import { ALU, JMP } from '../bpf/isa.js';
import { type Assembler, type Label, REG } from './assembler.js';
import { Cursor, enter } from './header-cursor.js';

/** The places where the inner packet begins; at each, R9 is the offset of the packet's first byte. */
export interface Inside {
  ethernet: Label;
  ipv4: Label;
  ipv6: Label;
}

/** Ethertypes. */
export const TYPE = { ipv4: 0x0800, ipv6: 0x86dd, bridged: 0x6558, mpls: 0x8847, mplsMulticast: 0x8848 } as const;
const UDP_PORTS = { vxlan: 4789, geneve: 6081, gtp: 2152 } as const;
/** The most extension headers of one GTP-U header. */
const GTP_EXTENSIONS_MAX = 4;
const UDP_BYTES = 8;
const { X: FIELD, A } = REG;

export class UdpTunnels extends Cursor {
  constructor(
    asm: Assembler,
    private readonly to: Inside,
  ) {
    super(asm, asm.returning(0));
  }

  /** Emits the code; R9 is at the UDP header. */
  emit(): void {
    const { asm } = this;
    const [vxlan, geneve, gtp] = [asm.label(), asm.label(), asm.label()];
    this.load(2, 2);
    this.switchOn([
      [UDP_PORTS.geneve, geneve],
      [UDP_PORTS.gtp, gtp],
      [UDP_PORTS.vxlan, vxlan],
    ]);
    asm.place(vxlan);
    this.vxlan();
    asm.place(geneve);
    this.geneve();
    asm.place(gtp);
    this.gtp();
  }

  private vxlan(): void {
    const { asm } = this;
    this.load(1, UDP_BYTES);
    asm.alu(ALU.AND, A, { imm: 8 });
    asm.jumpIf(JMP.JEQ, A, { imm: 0 }, this.reject);
    this.advance(UDP_BYTES + 8);
    asm.jump(this.to.ethernet);
  }

  /** Accepts version 0, and passes over its options. */
  private geneve(): void {
    const { asm } = this;
    this.load(1, UDP_BYTES);
    asm.jumpIf(JMP.JGT, A, { imm: 0x3f }, this.reject);
    asm.alu(ALU.LSH, A, { imm: 2 });
    asm.move(FIELD, { reg: A });
    this.load(2, UDP_BYTES + 2);
    this.advance(UDP_BYTES + 8);
    this.advanceBy(FIELD);
    this.switchOn([
      [TYPE.bridged, this.to.ethernet],
      [TYPE.ipv4, this.to.ipv4],
      [TYPE.ipv6, this.to.ipv6],
    ]);
  }

  /** Accepts G-PDUs of version 1, with sequence number and extension headers. */
  private gtp(): void {
    const { asm } = this;
    const [payload, oneBefore] = [asm.label(), asm.label()];
    // This loads the flags and the message type at once.
    this.load(2, UDP_BYTES);
    asm.move(FIELD, { reg: A });
    asm.alu(ALU.AND, A, { imm: 0xf0ff });
    asm.jumpIf(JMP.JNE, A, { imm: 0x30ff }, this.reject);
    this.advance(UDP_BYTES + 8);
    asm.alu(ALU.AND, FIELD, { imm: 0x0700 });
    asm.jumpIf(JMP.JEQ, FIELD, { imm: 0 }, payload);
    this.advance(3);
    asm.alu(ALU.AND, FIELD, { imm: 0x0400 });
    asm.jumpIf(JMP.JEQ, FIELD, { imm: 0 }, oneBefore);
    this.gtpExtensions(oneBefore);
    asm.place(oneBefore);
    this.advance(1);
    enter(asm, payload);
    this.load(1, 0);
    asm.alu(ALU.RSH, A, { imm: 4 });
    this.switchOn([
      [4, this.to.ipv4],
      [6, this.to.ipv6],
    ]);
  }

  /** R9 is at a header's last byte, which tells whether another follows; the first byte of that one is its length. */
  private gtpExtensions(end: Label): void {
    const { asm } = this;
    for (let count = 0; count < GTP_EXTENSIONS_MAX; count++) {
      this.load(1, 0);
      asm.jumpIf(JMP.JEQ, A, { imm: 0 }, end);
      this.load(1, 1);
      asm.jumpIf(JMP.JEQ, A, { imm: 0 }, this.reject);
      asm.alu(ALU.LSH, A, { imm: 2 });
      this.advanceBy(A);
    }
    this.load(1, 0);
    asm.jumpIf(JMP.JNE, A, { imm: 0 }, this.reject);
  }
}
