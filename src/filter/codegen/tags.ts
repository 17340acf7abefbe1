/** VLAN tags: where they are in a frame and in an mbuf, and the code that looks at them. */
import type { MbufLayout } from '../../native/filter-binding.js';
import type { Direction } from '../../native/primary-binding.js';
import type { Interval } from '../bpf/interval-set.js';
import { ALU, JMP } from '../bpf/isa.js';
import { type Assembler, type Label, REG } from './assembler.js';

/** Where the first tag of an Ethernet frame lies: after the two addresses. */
export const TAG_OFFSET = 12;
/** TPIDs that make a tag: 802.1Q, 802.1ad, and the older QinQ. */
export const TPIDS = [0x8100, 0x88a8, 0x9100] as const;
/** The number of tags that are looked through; a frame with more is seen from its sixth tag on. */
export const TAGS_MAX = 5;
export const TAG_BYTES = 4;
const VID_MASK = 0xfff;
const ETHERTYPE_IPV6 = 0x86dd;

/** A tag that is in the mbuf's fields, not in the packet: stripped on receive, or to be inserted on transmit. */
export interface AbsentTag {
  tpid: number;
  /** Offset of its 16-bit TCI in the mbuf. */
  tciOffset: number;
}

/** Which absent tags an mbuf has, by its flags; both flags lie in one 32-bit half of ol_flags. */
interface TagFlags {
  wordOffset: number;
  /** The flags of the tag nearest to the payload, and of the tag in front of it. */
  inner: number;
  outer: number;
  /**
   * Whether the flag of the outer tag stands for both tags. RTE_MBUF_F_TX_QINQ does (rte_mbuf_core.h of 22.11 to 26.07:
   * "Double VLAN insertion"), and i40e, ice and hns3 insert two tags for it alone. RTE_MBUF_F_RX_QINQ_STRIPPED alone
   * says that only the outer tag was taken off.
   */
  outerIsBoth: boolean;
}

function tagFlags(layout: MbufLayout, direction: Direction): TagFlags {
  const [inner, outer] =
    direction === 'rx' ? [layout.rxVlanStripped, layout.rxQinqStripped] : [layout.txVlan, layout.txQinq];
  const isHigh = inner >= 2 ** 32;
  const mask = (flag: number): number => (isHigh ? flag / 2 ** 32 : flag);
  return {
    wordOffset: layout.olFlags + (isHigh ? 4 : 0),
    inner: mask(inner),
    outer: mask(outer),
    outerIsBoth: direction === 'tx',
  };
}

/** R7 = the flags of absent tags, and no other flags. */
function loadFlags(asm: Assembler, flags: TagFlags): void {
  asm.loadMemory(REG.TEMP, REG.MBUF, flags.wordOffset);
  asm.alu(ALU.AND, REG.TEMP, { imm: flags.inner | flags.outer });
}

/**
 * Calls `body` once for each set of absent tags that an mbuf can have, each behind the test for that set; the code of a
 * body ends with jumps of its own. Most packets have no absent tag, and take the first body after one comparison. One way
 * leads to each body: the verifier would walk it twice for two.
 */
export function forEachAbsence(
  asm: Assembler,
  layout: MbufLayout,
  direction: Direction,
  body: (tags: AbsentTag[]) => void,
): void {
  const flags = tagFlags(layout, direction);
  const inner = { tpid: TPIDS[0], tciOffset: layout.vlanTci };
  const outer = { tpid: TPIDS[1], tciOffset: layout.vlanTciOuter };
  loadFlags(asm, flags);
  const [some, onlyInner, onlyOuter] = [asm.label(), asm.label(), asm.label()];
  asm.jumpIf(JMP.JNE, REG.TEMP, { imm: 0 }, some);
  body([]);
  asm.place(some);
  asm.jumpIf(JMP.JEQ, REG.TEMP, { imm: flags.inner }, onlyInner);
  if (!flags.outerIsBoth) asm.jumpIf(JMP.JEQ, REG.TEMP, { imm: flags.outer }, onlyOuter);
  body([outer, inner]);
  asm.place(onlyInner);
  body([inner]);
  if (flags.outerIsBoth) return;
  asm.place(onlyOuter);
  body([outer]);
}

/**
 * dst = the frame's length on the wire, including tags that are only in the mbuf. The code has no branches, which would
 * double the paths through all that follows; it changes R2 and R7.
 */
export function loadWireLength(asm: Assembler, layout: MbufLayout, direction: Direction, dst: number): void {
  const flags = tagFlags(layout, direction);
  const bitOfBytes = Math.log2(TAG_BYTES);
  asm.loadMemory(dst, REG.MBUF, layout.pktLen);
  asm.loadMemory(REG.TEMP, REG.MBUF, flags.wordOffset);
  asm.move(REG.SCRATCH, { reg: REG.TEMP });
  asm.alu(ALU.RSH, REG.TEMP, { imm: Math.log2(flags.inner) - bitOfBytes });
  asm.alu(ALU.RSH, REG.SCRATCH, { imm: Math.log2(flags.outer) - bitOfBytes });
  if (flags.outerIsBoth) asm.alu(ALU.OR, REG.TEMP, { reg: REG.SCRATCH });
  for (const register of [REG.TEMP, REG.SCRATCH]) {
    asm.alu(ALU.AND, register, { imm: TAG_BYTES });
    asm.alu(ALU.ADD, dst, { reg: register });
  }
}

/** Goes to `found` when any of the frame's tags, in the packet or in the mbuf, is one of `vlans`, else to `not`. */
export function requireVlan(
  asm: Assembler,
  layout: MbufLayout,
  direction: Direction,
  vlans: readonly Interval[],
  found: Label,
  not: Label,
): void {
  const flags = tagFlags(layout, direction);
  loadFlags(asm, flags);
  for (const [flag, tciOffset] of [
    [flags.outerIsBoth ? flags.inner | flags.outer : flags.inner, layout.vlanTci],
    [flags.outer, layout.vlanTciOuter],
  ] as const) {
    const absent = asm.label();
    asm.move(REG.A, { reg: REG.TEMP });
    asm.alu(ALU.AND, REG.A, { imm: flag });
    asm.jumpIf(JMP.JEQ, REG.A, { imm: 0 }, absent);
    asm.loadMemory(REG.A, REG.MBUF, tciOffset, 2);
    leaveWhenAmong(asm, vlans, found);
    asm.place(absent);
  }
  walkTags(asm, layout.pktLen, not, (at) => {
    asm.loadPacket(2, at + 2);
    leaveWhenAmong(asm, vlans, found);
  });
  asm.jump(not);
}

/** Goes to `found` when the VLAN id in R0 is one of these. The verifier has one path through it, whatever the ids. */
function leaveWhenAmong(asm: Assembler, vlans: readonly Interval[], found: Label): void {
  asm.alu(ALU.AND, REG.A, { imm: VID_MASK });
  for (const [first, last] of vlans) {
    if (first === last) {
      asm.jumpIf(JMP.JEQ, REG.A, { imm: first }, found);
      continue;
    }
    asm.move(REG.SCRATCH, { reg: REG.A });
    asm.alu(ALU.SUB, REG.SCRATCH, { imm: first });
    asm.jumpIf(JMP.JLE, REG.SCRATCH, { imm: last - first }, found);
  }
}

/** Goes to `none` when the frame has no tag, in the packet or in the mbuf, else to `some`. */
export function requireNoVlan(
  asm: Assembler,
  layout: MbufLayout,
  direction: Direction,
  none: Label,
  some: Label,
): void {
  loadFlags(asm, tagFlags(layout, direction));
  asm.jumpIf(JMP.JNE, REG.TEMP, { imm: 0 }, some);
  walkTags(asm, layout.pktLen, none, () => asm.jump(some), 1);
}

/**
 * Looks at the tags in the packet one after the other: `each` gets a tag's offset; `end` is where to go after the last.
 * A tag counts when the frame also holds the two bytes after it. R7 = the packet's length.
 */
function walkTags(
  asm: Assembler,
  pktLenOffset: number,
  end: Label,
  each: (at: number, index: number) => void,
  most = TAGS_MAX,
): void {
  asm.loadMemory(REG.TEMP, REG.MBUF, pktLenOffset);
  for (let tag = 0; tag < most; tag++) {
    const at = TAG_OFFSET + tag * TAG_BYTES;
    asm.jumpIf(JMP.JLT, REG.TEMP, { imm: at + TAG_BYTES + 2 }, end);
    asm.loadPacket(2, at);
    leaveUnlessTpid(asm, end, tag === 0);
    each(at, tag);
  }
}

/**
 * Goes to `not` when R0 is no TPID. For the first tag, IPv4 and ARP, which are below all TPIDs, leave at once. Two of
 * the three TPIDs differ in one bit: with fewer paths through each tag, verifiers before 24.07 walk the rest a sixth as
 * often.
 */
export function leaveUnlessTpid(asm: Assembler, not: Label, isFirst: boolean): void {
  const found = asm.label();
  const [common, provider, older] = TPIDS;
  if (isFirst) asm.jumpIf(JMP.JLT, REG.A, { imm: common }, not);
  asm.jumpIf(JMP.JEQ, REG.A, { imm: provider }, found);
  asm.alu(ALU.AND, REG.A, { imm: 0xffff & ~(common ^ older) });
  asm.jumpIf(JMP.JNE, REG.A, { imm: common & older }, not);
  asm.place(found);
}

/** Goes to `untagged`, with the EtherType in R0, when it is a common one: one below all TPIDs, or IPv6. */
export function leaveWhenUntagged(asm: Assembler, untagged: Label): void {
  asm.loadPacket(2, TAG_OFFSET);
  asm.jumpIf(JMP.JLT, REG.A, { imm: TPIDS[0] }, untagged);
  asm.jumpIf(JMP.JEQ, REG.A, { imm: ETHERTYPE_IPV6 }, untagged);
}

/** R9 = the number of tag bytes in the packet. R0 is unknown afterwards. */
export function skipTags(asm: Assembler, pktLenOffset: number): void {
  const entry = asm.label();
  asm.move(REG.SKIP, { imm: 0 });
  walkTags(asm, pktLenOffset, entry, (_, index) => asm.move(REG.SKIP, { imm: (index + 1) * TAG_BYTES }));
  asm.place(entry);
  forgetTags(asm);
}

/**
 * Makes the verifier see the same registers whatever the number of tags. It walks every path whose registers differ
 * from those it has seen, even in registers that nobody reads again: without this it would walk the program once per
 * number of tags at every branch, which takes minutes, in the primary's control thread. (R0 to R5 are the same again
 * after the first load.)
 */
function forgetTags(asm: Assembler): void {
  asm.forget(REG.SKIP);
  asm.move(REG.TEMP, { imm: 0 });
}
