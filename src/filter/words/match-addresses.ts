/** The classic program of `--host`, `--net` etc. does what libpcap's `host` and `net` do, for any number of them. */

import { CLASS, JMP, MODE, SIZE } from '../bpf/isa.js';
import { addressSet, type Prefix, type WordSet } from './address-set.js';
import type { ClassicAssembler, ClassicLabel } from './classic-assembler.js';
import { type Segment, searchIntervals } from './decision-tree.js';

/** Which of a packet's two ends is tested. */
export type Side = 'either' | 'src' | 'dst';

export interface AddressTest {
  side: Side;
  v4: readonly Prefix[];
  v6: readonly Prefix[];
}

export const ETHERTYPE = { ipv4: 0x0800, arp: 0x0806, rarp: 0x8035, ipv6: 0x86dd } as const;
export const TYPE_OFFSET = 12;
/** Offsets in an untagged frame. */
const PLACES = {
  ipv4: { src: 26, dst: 30 },
  arp: { src: 28, dst: 38 },
  ipv6: { src: 22, dst: 38 },
} as const;

const LOAD_HALF = CLASS.LD | SIZE.H | MODE.ABS;
const LOAD_WORD = CLASS.LD | SIZE.W | MODE.ABS;
const LOAD_WORD_AT_X = CLASS.LD | SIZE.W | MODE.IND;
const SET_X = CLASS.LDX | MODE.IMM;

/** IPv4 addresses are looked for in ARP and RARP, too. */
export function matchAddresses(asm: ClassicAssembler, test: AddressTest, hit: ClassicLabel, miss: ClassicLabel): void {
  const [ipv4, arp, ipv6] = [asm.label(), asm.label(), asm.label()];
  asm.insn(LOAD_HALF, TYPE_OFFSET);
  if (test.v4.length > 0) {
    asm.branchIfEqual(ETHERTYPE.ipv4, ipv4);
    asm.branchIfEqual(ETHERTYPE.arp, arp);
    asm.branchIfEqual(ETHERTYPE.rarp, arp);
  }
  if (test.v6.length > 0) asm.branch(JMP.JEQ, ETHERTYPE.ipv6, ipv6, miss);
  else asm.jump(miss);
  if (test.v4.length > 0) {
    matchIpv4(asm, { ipv4, arp }, addressSet(test.v4), test.side, hit, miss);
  }
  if (test.v6.length > 0) {
    asm.place(ipv6);
    matchIpv6(asm, addressSet(test.v6), test.side, hit, miss);
  }
}

/** IPv4 and ARP share the searches: X is the offset of the second address. */
function matchIpv4(
  asm: ClassicAssembler,
  from: { ipv4: ClassicLabel; arp: ClassicLabel },
  set: WordSet,
  side: Side,
  hit: ClassicLabel,
  miss: ClassicLabel,
): void {
  const first = side === 'dst' ? 'dst' : 'src';
  const [search, second] = [asm.label(), asm.label()];
  asm.place(from.ipv4);
  if (side === 'either') asm.insn(SET_X, PLACES.ipv4.dst);
  asm.insn(LOAD_WORD, PLACES.ipv4[first]);
  asm.jump(search);
  asm.place(from.arp);
  if (side === 'either') asm.insn(SET_X, PLACES.arp.dst);
  asm.insn(LOAD_WORD, PLACES.arp[first]);
  asm.place(search);
  const segments = set.whole.map((interval): Segment => ({ interval, to: hit }));
  searchIntervals(asm, segments, side === 'either' ? second : miss);
  if (side !== 'either') return;
  asm.place(second);
  asm.insn(LOAD_WORD_AT_X, 0);
  searchIntervals(asm, segments, miss);
}

function matchIpv6(asm: ClassicAssembler, set: WordSet, side: Side, hit: ClassicLabel, miss: ClassicLabel): void {
  if (side !== 'either') {
    matchWord(asm, set, PLACES.ipv6[side], hit, miss);
    return;
  }
  const second = asm.label();
  matchWord(asm, set, PLACES.ipv6.src, hit, second);
  asm.place(second);
  // The search does not need X: Converter.loadIndex says why X is set.
  asm.insn(SET_X, 0);
  matchWord(asm, set, PLACES.ipv6.dst, hit, miss);
}

/** Matches the word at `offset`, and the words behind it where that word does not decide. */
function matchWord(
  asm: ClassicAssembler,
  { whole, deeper }: WordSet,
  offset: number,
  hit: ClassicLabel,
  miss: ClassicLabel,
): void {
  const next = [...deeper].map(([word, set]) => ({ word, set, label: asm.label() }));
  const segments = [
    ...whole.map((interval): Segment => ({ interval, to: hit })),
    ...next.map(({ word, label }): Segment => ({ interval: [word, word], to: label })),
  ].sort((a, b) => a.interval[0] - b.interval[0]);
  asm.insn(LOAD_WORD, offset);
  searchIntervals(asm, segments, miss);
  for (const { set, label } of next) {
    asm.place(label);
    matchWord(asm, set, offset + 4, hit, miss);
  }
}
