/**
 * Code that finds the packet inside a tunnel. It goes through VLAN tags, IPv4 (not a later fragment) or IPv6 (without
 * extension headers) or MPLS, to VXLAN, Geneve, GTP-U, GRE, NVGRE, ERSPAN, IP-in-IP and MPLS. Anything else ends the
 * program with 0.
 */

import { ALU, JMP } from '../bpf/isa.js';
import { type Assembler, type Label, REG } from './assembler.js';
import { Cursor, enter } from './header-cursor.js';
import { SLOT } from './inner-loads.js';
import { leaveUnlessTpid, TAG_BYTES, TAG_OFFSET, TAGS_MAX } from './tags.js';
import { type Inside, TYPE, UdpTunnels } from './udp-tunnels.js';

/** The number of tunnels that can be looked through one after the other. */
export const DEPTH_MAX = 3;
/** The most labels of one MPLS stack. */
const MPLS_LABELS_MAX = 8;

const ETHERNET_BYTES = 14;
const { SKIP, X: FIELD, A, SCRATCH, FRAME } = REG;

/** Emits the code for `depth` tunnels; afterwards R9 and the slots are as inner-loads.ts expects them. */
export function decapsulate(asm: Assembler, depth: number): void {
  const inside = (): Inside => ({ ethernet: asm.label(), ipv4: asm.label(), ipv6: asm.label() });
  let entry = inside();
  asm.move(SKIP, { imm: 0 });
  for (let level = 0; level < depth; level++) {
    const next = inside();
    new Tunnel(asm, entry, next).emit();
    entry = next;
  }
  describeInner(asm, entry);
}

class Tunnel extends Cursor {
  private readonly transport: Label;
  private readonly mpls: Label;

  constructor(
    asm: Assembler,
    private readonly from: Inside,
    private readonly to: Inside,
  ) {
    super(asm, asm.returning(0));
    this.transport = asm.label();
    this.mpls = asm.label();
  }

  emit(): void {
    this.ethernet();
    this.ipv4();
    this.ipv6();
    this.byProtocol();
    this.labels();
  }

  private ethernet(): void {
    enter(this.asm, this.from.ethernet, 0);
    skipInnerTags(this.asm);
    this.advance(ETHERNET_BYTES);
    this.switchOn([
      [TYPE.ipv6, this.from.ipv6],
      [TYPE.mpls, this.mpls],
      [TYPE.mplsMulticast, this.mpls],
      [TYPE.ipv4, this.from.ipv4],
    ]);
  }

  private ipv4(): void {
    const { asm } = this;
    enter(asm, this.from.ipv4);
    this.load(1, 0);
    asm.alu(ALU.AND, A, { imm: 15 });
    asm.alu(ALU.LSH, A, { imm: 2 });
    asm.move(FIELD, { reg: A });
    this.load(2, 6);
    asm.alu(ALU.AND, A, { imm: 0x1fff });
    asm.jumpIf(JMP.JNE, A, { imm: 0 }, this.reject);
    this.load(1, 9);
    asm.jump(this.transport);
  }

  private ipv6(): void {
    enter(this.asm, this.from.ipv6);
    this.asm.move(FIELD, { imm: 40 });
    this.load(1, 6);
  }

  /** R0 is the IP protocol, FIELD the length of the IP header at R9. */
  private byProtocol(): void {
    const { asm } = this;
    const [udp, gre] = [asm.label(), asm.label()];
    asm.place(this.transport);
    this.advanceBy(FIELD);
    asm.forget(SKIP);
    asm.move(FIELD, { imm: 0 });
    this.switchOn([
      [47, gre],
      [4, this.to.ipv4],
      [41, this.to.ipv6],
      [137, this.mpls],
      [17, udp],
    ]);
    asm.place(udp);
    new UdpTunnels(asm, this.to).emit();
    asm.place(gre);
    this.gre();
  }

  /** Accepts version 0 without routing, and passes over its optional fields. */
  private gre(): void {
    const { asm } = this;
    const [mirrored2, mirrored3] = [asm.label(), asm.label()];
    // The four bytes are the flags, and behind them the ethertype.
    this.load(4, 0);
    asm.move(FIELD, { reg: A });
    asm.alu(ALU.AND, A, { imm: 0x4007_0000 });
    asm.jumpIf(JMP.JNE, A, { imm: 0 }, this.reject);
    this.advance(4);
    for (const flag of [31, 29, 28]) this.advanceIf(flag, 4);
    asm.move(A, { reg: FIELD });
    asm.alu(ALU.AND, A, { imm: 0xffff });
    this.switchOn([
      [TYPE.ipv4, this.to.ipv4],
      [TYPE.ipv6, this.to.ipv6],
      [TYPE.bridged, this.to.ethernet],
      [TYPE.mpls, this.mpls],
      [TYPE.mplsMulticast, this.mpls],
      [0x22eb, mirrored3],
      [0x88be, mirrored2],
    ]);
    // ERSPAN type I has no header of its own; type II, with a sequence number, has 8 bytes.
    asm.place(mirrored2);
    this.advanceIf(28, 8);
    asm.jump(this.to.ethernet);
    // Type III has 12 bytes, or 20 when the last bit says so.
    asm.place(mirrored3);
    this.load(1, 11);
    asm.alu(ALU.AND, A, { imm: 1 });
    asm.alu(ALU.LSH, A, { imm: 3 });
    this.advanceBy(A);
    this.advance(12);
    asm.jump(this.to.ethernet);
  }

  /** After the bottom label comes IP, known by its version, or Ethernet behind a control word that begins with 0. */
  private labels(): void {
    const { asm } = this;
    const [bottom, wire] = [asm.label(), asm.label()];
    enter(asm, this.mpls);
    asm.move(FIELD, { imm: 1 });
    for (let label = 0; label < MPLS_LABELS_MAX; label++) {
      this.load(1, 2);
      this.advance(4);
      asm.jumpIf(JMP.JSET, A, { reg: FIELD }, bottom);
    }
    asm.jump(this.reject);
    enter(asm, bottom);
    this.load(1, 0);
    asm.alu(ALU.RSH, A, { imm: 4 });
    this.switchOn([
      [4, this.to.ipv4],
      [6, this.to.ipv6],
      [0, wire],
    ]);
    asm.place(wire);
    this.advance(4);
    asm.jump(this.to.ethernet);
  }
}

/** R9 += the bytes of the tags of the frame at R9; R0 = the ethertype behind them. */
function skipInnerTags(asm: Assembler): void {
  const done = asm.label();
  for (let tag = 0; tag < TAGS_MAX; tag++) {
    asm.loadPacket(2, TAG_OFFSET, SKIP);
    leaveUnlessTpid(asm, done, tag === 0);
    asm.alu(ALU.ADD, SKIP, { imm: TAG_BYTES });
  }
  enter(asm, done);
  asm.loadPacket(2, TAG_OFFSET, SKIP);
}

/** Fills the slots, and sets R9 as if an Ethernet header were there. */
function describeInner(asm: Assembler, inner: Inside): void {
  const [bare, described] = [asm.label(), asm.label()];
  enter(asm, inner.ethernet);
  asm.move(FIELD, { reg: SKIP });
  skipInnerTags(asm);
  asm.jump(described);
  for (const [label, type] of [
    [inner.ipv4, TYPE.ipv4],
    [inner.ipv6, TYPE.ipv6],
  ] as const) {
    asm.place(label);
    asm.loadPacket(1, 0, SKIP); // the packet must not end here
    asm.move(A, { imm: type });
    asm.jump(bare);
  }
  asm.place(bare);
  asm.alu(ALU.SUB, SKIP, { imm: ETHERNET_BYTES });
  asm.move(FIELD, { imm: 0 });
  enter(asm, described);
  asm.forget(FIELD);
  asm.storeMemory(FRAME, SLOT.addresses, FIELD);
  // The copy is a sum: the verifier remembers how wide a register's load was, unless the register began as a constant.
  asm.move(SCRATCH, { imm: 0 });
  asm.alu(ALU.ADD, SCRATCH, { reg: A });
  asm.forget(SCRATCH);
  asm.storeMemory(FRAME, SLOT.type, SCRATCH);
  asm.move(A, { imm: 0 });
}
