/**
 * Code that finds the packet inside a tunnel: through VLAN tags, IPv4 (not a later fragment) or IPv6 (without extension
 * headers) or MPLS, to VXLAN, Geneve, GTP-U, GRE, NVGRE, ERSPAN, IP-in-IP and MPLS. Anything else ends the program with 0.
 */
import { type Assembler, type Label, REG } from './assembler.js';
import { Cursor, enter } from './cursor.js';
import { SLOT } from './inner-loads.js';
import { ALU, JMP } from './insn.js';
import { jumpIfNoTag, TAG_BYTES, TAG_OFFSET, TAGS_MAX } from './tags.js';
import { type Inside, TYPE, UdpTunnels } from './udp-tunnels.js';

/** Tunnels that can be looked through one after the other. */
export const DEPTH_MAX = 3;
/** Labels of one MPLS stack. */
export const MPLS_LABELS_MAX = 8;

const ETHERNET_BYTES = 14;
const { SKIP, X: FIELD, TEMP, A, FRAME } = REG;

/** Emits the code for `depth` tunnels; afterwards the slots of inner-loads.ts are filled. */
export function decapsulate(asm: Assembler, depth: number): void {
  const inside = (): Inside => ({ ethernet: asm.label(), ipv4: asm.label(), ipv6: asm.label() });
  let entry = inside();
  asm.move(SKIP, { imm: 0 });
  asm.jump(entry.ethernet);
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
    enter(this.asm, this.from.ethernet);
    skipInnerTags(this.asm);
    this.load(2, TAG_OFFSET);
    this.advance(ETHERNET_BYTES);
    this.switchOn([
      [TYPE.ipv4, this.from.ipv4],
      [TYPE.ipv6, this.from.ipv6],
      [TYPE.mpls, this.mpls],
      [TYPE.mplsMulticast, this.mpls],
    ]);
  }

  private ipv4(): void {
    const { asm } = this;
    enter(asm, this.from.ipv4);
    this.load(2, 6);
    asm.alu(ALU.AND, A, { imm: 0x1fff });
    asm.jumpIf(JMP.JNE, A, { imm: 0 }, this.reject);
    this.load(1, 9);
    asm.move(FIELD, { reg: A });
    this.load(1, 0);
    asm.alu(ALU.AND, A, { imm: 15 });
    asm.alu(ALU.LSH, A, { imm: 2 });
    this.advanceBy(A);
    asm.jump(this.transport);
  }

  private ipv6(): void {
    const { asm } = this;
    enter(asm, this.from.ipv6);
    this.load(1, 6);
    asm.move(FIELD, { reg: A });
    this.advance(40);
    asm.jump(this.transport);
  }

  /** FIELD is the IP protocol, R9 behind the IP header. */
  private byProtocol(): void {
    const { asm } = this;
    const [udp, gre] = [asm.label(), asm.label()];
    enter(asm, this.transport, { keepsField: true });
    asm.move(A, { reg: FIELD });
    this.switchOn([
      [17, udp],
      [47, gre],
      [4, this.to.ipv4],
      [41, this.to.ipv6],
      [137, this.mpls],
    ]);
    asm.place(udp);
    new UdpTunnels(asm, this.to).emit();
    asm.place(gre);
    this.gre();
  }

  /** Version 0 without routing; its optional fields passed over. */
  private gre(): void {
    const { asm } = this;
    const [mirrored2, mirrored3] = [asm.label(), asm.label()];
    this.load(2, 0);
    asm.move(FIELD, { reg: A });
    asm.alu(ALU.AND, A, { imm: 0x4007 });
    asm.jumpIf(JMP.JNE, A, { imm: 0 }, this.reject);
    this.load(2, 2);
    asm.move(TEMP, { reg: A });
    this.advance(4);
    for (const optional of [0x8000, 0x2000, 0x1000]) this.advanceIf(optional, 4);
    asm.move(A, { reg: TEMP });
    this.switchOn([
      [TYPE.ipv4, this.to.ipv4],
      [TYPE.ipv6, this.to.ipv6],
      [TYPE.bridged, this.to.ethernet],
      [TYPE.mpls, this.mpls],
      [TYPE.mplsMulticast, this.mpls],
      [0x88be, mirrored2],
      [0x22eb, mirrored3],
    ]);
    // ERSPAN type I has no header of its own; type II, with a sequence number, has 8 bytes.
    asm.place(mirrored2);
    this.advanceIf(0x1000, 8);
    asm.jump(this.to.ethernet);
    asm.place(mirrored3);
    this.load(1, 11);
    asm.move(FIELD, { reg: A });
    this.advance(12);
    this.advanceIf(1, 8);
    asm.jump(this.to.ethernet);
  }

  /** Behind the bottom of the stack: IP by its version, Ethernet behind a control word that is 0 at first. */
  private labels(): void {
    const { asm } = this;
    const [bottom, wire] = [asm.label(), asm.label()];
    enter(asm, this.mpls);
    for (let label = 0; label < MPLS_LABELS_MAX; label++) {
      this.load(1, 2);
      this.advance(4);
      asm.alu(ALU.AND, A, { imm: 1 });
      asm.jumpIf(JMP.JNE, A, { imm: 0 }, bottom);
    }
    asm.jump(this.reject);
    enter(asm, bottom);
    this.load(1, 0);
    asm.alu(ALU.RSH, A, { imm: 4 });
    asm.jumpIf(JMP.JEQ, A, { imm: 0 }, wire);
    this.switchOn([
      [4, this.to.ipv4],
      [6, this.to.ipv6],
    ]);
    asm.place(wire);
    this.advance(4);
    asm.jump(this.to.ethernet);
  }
}

/** R9 += the bytes of the tags of the frame at R9. */
function skipInnerTags(asm: Assembler): void {
  const done = asm.label();
  for (let tag = 0; tag < TAGS_MAX; tag++) {
    const found = asm.label();
    asm.loadPacket(2, TAG_OFFSET, SKIP);
    jumpIfNoTag(asm, done, found);
    asm.place(found);
    asm.alu(ALU.ADD, SKIP, { imm: TAG_BYTES });
  }
  enter(asm, done);
}

/** Fills the slots. */
function describeInner(asm: Assembler, inner: Inside): void {
  const described = asm.label();
  const set = (slot: number, register: number): void => asm.storeMemory(FRAME, slot, register);
  enter(asm, inner.ethernet);
  set(SLOT.addresses, SKIP);
  skipInnerTags(asm);
  asm.loadPacket(2, TAG_OFFSET, SKIP);
  set(SLOT.type, A);
  asm.jump(described);
  for (const [label, type] of [
    [inner.ipv4, TYPE.ipv4],
    [inner.ipv6, TYPE.ipv6],
  ] as const) {
    enter(asm, label);
    set(SLOT.addresses, A);
    asm.loadPacket(1, 0, SKIP); // there must be something
    asm.alu(ALU.SUB, SKIP, { imm: ETHERNET_BYTES });
    asm.move(A, { imm: type });
    set(SLOT.type, A);
    asm.jump(described);
  }
  enter(asm, described);
  set(SLOT.base, SKIP);
  for (const slot of [SLOT.addresses, SLOT.type]) {
    asm.loadMemory(A, FRAME, slot);
    asm.forget(A);
    set(slot, A);
  }
  asm.move(A, { imm: 0 });
}
