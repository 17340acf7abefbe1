/**
 * The classic programs of `--port` and `--proto`. They do what libpcap's `port` and `proto` do, and more for IPv6:
 * libpcap 1.10 looks at the first next-header only, but these programs walk through extension headers, so that a port
 * is found behind them.
 */

import type { Interval } from '../bpf/interval-set.js';
import { ALU, CLASS, JMP, MODE, SIZE, SRC } from '../bpf/isa.js';
import type { ClassicAssembler, ClassicLabel } from './classic-assembler.js';
import { searchIntervals } from './decision-tree.js';
import { ETHERTYPE, type Side, TYPE_OFFSET } from './match-addresses.js';

/** Extension headers that are walked through; RFC 8200 wants at most seven, and packets have one or two. */
export const EXTENSIONS_MAX = 6;
/** Protocols that have ports at the beginning of their header. */
export const WITH_PORTS: readonly number[] = [6, 17, 132];

export interface PortTest {
  side: Side;
  ports: readonly Interval[];
}

export interface PortTests {
  /** All of them must hold. */
  tests: readonly PortTest[];
  /** The protocols whose ports are tested. */
  protocols: readonly number[];
  /** How many extension headers are walked through. */
  extensions: number;
}

export interface ProtocolTest {
  extensions: number;
  ethertypes: readonly number[];
  /** Protocol numbers in IPv4, and in any header of IPv6. */
  ipv4: readonly number[];
  ipv6: readonly number[];
}

/** Hop-by-hop, routing, destination options: the second byte of each is its length, in units of 8. */
const ORDINARY = [0, 43, 60];
const FRAGMENT = 44;
const AUTHENTICATION = 51;

/** Offset of the header behind Ethernet; X counts from there. */
const NETWORK = 14;
const IPV6_BYTES = 40;
const PORT_MAX = 0xffff;
/** The scratch word that holds the next header's number while X moves. */
const NEXT = 0;

const LOAD = CLASS.LD | MODE.ABS;
const LOAD_AT_X = CLASS.LD | MODE.IND;
const TO_X = CLASS.MISC;

/** Matches ports in first fragments and whole packets. */
export function matchPorts(
  asm: ClassicAssembler,
  { tests, protocols, extensions }: PortTests,
  hit: ClassicLabel,
  miss: ClassicLabel,
): void {
  const [ipv4, ipv6, first, known] = [asm.label(), asm.label(), asm.label(), asm.label()];
  asm.insn(LOAD | SIZE.H, TYPE_OFFSET);
  asm.branchIfEqual(ETHERTYPE.ipv4, ipv4);
  asm.branch(JMP.JEQ, ETHERTYPE.ipv6, ipv6, miss);
  asm.place(ipv4);
  asm.insn(LOAD | SIZE.H, NETWORK + 6);
  asm.branch(JMP.JSET, 0x1fff, miss, first);
  asm.place(first);
  asm.insn(LOAD | SIZE.B, NETWORK + 9);
  dispatch(asm, to(known, protocols), miss);
  asm.place(known);
  asm.insn(CLASS.LDX | SIZE.B | MODE.MSH, NETWORK);
  comparePorts(asm, tests, hit, miss);
  asm.place(ipv6);
  const behind = asm.label();
  walkExtensions(asm, extensions, to(behind, protocols), miss, miss);
  asm.place(behind);
  comparePorts(asm, tests, hit, miss);
}

/** Compares the ports, which are at X + 14. */
function comparePorts(asm: ClassicAssembler, tests: readonly PortTest[], hit: ClassicLabel, miss: ClassicLabel): void {
  tests.forEach(({ side, ports }, at) => {
    const isLast = at === tests.length - 1;
    const good = isLast ? hit : asm.label();
    const segments = ports.map((interval) => ({ interval, to: good }));
    const other = asm.label();
    asm.insn(LOAD_AT_X | SIZE.H, NETWORK + (side === 'dst' ? 2 : 0));
    searchIntervals(asm, segments, side === 'either' ? other : miss, PORT_MAX);
    asm.place(other);
    if (side === 'either') {
      asm.insn(LOAD_AT_X | SIZE.H, NETWORK + 2);
      searchIntervals(asm, segments, miss, PORT_MAX);
    }
    if (!isLast) asm.place(good);
  });
}

/** Matches when the packet is of one of these protocols; in IPv6, when one of its headers is. */
export function matchProtocols(
  asm: ClassicAssembler,
  { ethertypes, ipv4, ipv6, extensions }: ProtocolTest,
  hit: ClassicLabel,
  miss: ClassicLabel,
): void {
  const [in4, in6] = [asm.label(), asm.label()];
  asm.insn(LOAD | SIZE.H, TYPE_OFFSET);
  for (const type of ethertypes) asm.branchIfEqual(type, hit);
  if (ipv4.length > 0) asm.branchIfEqual(ETHERTYPE.ipv4, in4);
  if (ipv6.length > 0) asm.branchIfEqual(ETHERTYPE.ipv6, in6);
  asm.jump(miss);
  if (ipv4.length > 0) {
    asm.place(in4);
    asm.insn(LOAD | SIZE.B, NETWORK + 9);
    dispatch(asm, to(hit, ipv4), miss);
  }
  if (ipv6.length === 0) return;
  asm.place(in6);
  const later = asm.label();
  walkExtensions(asm, extensions, to(hit, ipv6), later, miss);
  asm.place(later);
  dispatch(asm, to(hit, ipv6), miss);
}

/** A value of A, and where to go for it. */
type Case = readonly [value: number, to: ClassicLabel];

const to = (label: ClassicLabel, values: readonly number[]): Case[] => values.map((value) => [value, label]);

/**
 * Branches on the value of A, and A is 0 at the label of a case. DPDK's verifier compares what it knows about A at each
 * place that a comparison leads to, and remembers two such states for each comparison: that A is 0 is the same state
 * for all values that lead to one place.
 */
function dispatch(asm: ClassicAssembler, cases: readonly Case[], otherwise: ClassicLabel): void {
  let subtracted = 0;
  for (const [value, label] of [...cases].sort(([a], [b]) => a - b)) {
    if (value > subtracted) asm.insn(CLASS.ALU | ALU.SUB, value - subtracted);
    subtracted = value;
    asm.branchIfEqual(0, label);
  }
  asm.jump(otherwise);
}

/**
 * Goes from header to header of an IPv6 packet, and to the label of a case where a header has the number of that case;
 * X is then the header's offset.
 * @param later where to go in a later fragment, which holds no further header; A is the number of the cut header
 * @param end where to go when the last header was passed
 */
function walkExtensions(
  asm: ClassicAssembler,
  most: number,
  cases: readonly Case[],
  later: ClassicLabel,
  end: ClassicLabel,
): void {
  const isCase = new Set(cases.map(([value]) => value));
  const others = (label: ClassicLabel, numbers: readonly number[]): Case[] =>
    to(
      label,
      numbers.filter((number) => !isCase.has(number)),
    );
  asm.insn(CLASS.LDX | MODE.IMM, IPV6_BYTES);
  asm.insn(LOAD | SIZE.B, NETWORK + 6);
  // NEXT is stored for the first header, too: what the verifier knows about the word is the same from here on.
  asm.insn(CLASS.ST, NEXT);
  for (let passed = 0; passed < most; passed++) {
    const [ordinary, fragment, authentication] = [asm.label(), asm.label(), asm.label()];
    const extensions = [
      ...others(ordinary, ORDINARY),
      ...others(fragment, [FRAGMENT]),
      ...others(authentication, [AUTHENTICATION]),
    ];
    dispatch(asm, [...cases, ...extensions], end);
    passExtension(asm, { ordinary, fragment, authentication }, later);
  }
  dispatch(asm, cases, end);
}

/** Passes over an extension header; A and X become those of the header behind it. */
function passExtension(
  asm: ClassicAssembler,
  kinds: { ordinary: ClassicLabel; fragment: ClassicLabel; authentication: ClassicLabel },
  later: ClassicLabel,
): void {
  const [moved, isLater, isFirst] = [asm.label(), asm.label(), asm.label()];
  const lengthInUnits = (more: number, shift: number): void => {
    keepNext(asm);
    asm.insn(LOAD_AT_X | SIZE.B, NETWORK + 1);
    asm.insn(CLASS.ALU | ALU.ADD, more);
    asm.insn(CLASS.ALU | ALU.LSH, shift);
  };
  asm.place(kinds.ordinary);
  lengthInUnits(1, 3);
  asm.jump(moved);
  asm.place(kinds.authentication);
  lengthInUnits(2, 2);
  asm.jump(moved);
  asm.place(kinds.fragment);
  keepNext(asm);
  asm.insn(LOAD_AT_X | SIZE.H, NETWORK + 2);
  asm.branch(JMP.JSET, 0xfff8, isLater, isFirst);
  asm.place(isLater);
  asm.insn(CLASS.LD | MODE.MEM, NEXT);
  asm.jump(later);
  asm.place(isFirst);
  asm.insn(CLASS.LD | MODE.IMM, 8);
  asm.place(moved);
  asm.insn(CLASS.ALU | ALU.ADD | SRC.X);
  asm.insn(TO_X);
  asm.insn(CLASS.LD | MODE.MEM, NEXT);
}

function keepNext(asm: ClassicAssembler): void {
  asm.insn(LOAD_AT_X | SIZE.B, NETWORK);
  asm.insn(CLASS.ST, NEXT);
}
