/**
 * Decides how an expression treats VLAN tags. Most expressions are about what a frame carries, and tags are skipped for
 * them. An expression about the tags themselves, or about bytes by their place in the frame, would mean something else
 * on a frame without tags: it is read on the frame as it is on the wire, as in tcpdump.
 *
 * The decision follows the program: `ether[14] = 1` accepts frames without a check of what lies there. Behind a check
 * of the EtherType, as in `ether proto 0x8809 and ether[14] = 1`, the same byte belongs to that protocol.
 */
import type { ClassicInsn } from '../../native/filter-binding.js';
import { type Analysis, analyse } from '../bpf/analyse.js';
import { CLASS, JMP, loadBytes, MODE, SIZE, SRC } from '../bpf/isa.js';
import { TAG_OFFSET, TPIDS } from '../codegen/tags.js';
import { tokenise, usesVlan } from './tokens.js';

const LOAD_TYPE = CLASS.LD | SIZE.H | MODE.ABS;

const RAW_REASON = 'it reads bytes by their place in the frame';

/** Facts that hold on a path to an instruction. The paths differ, so several combinations of facts may hold. */
const RAW = 1; // bytes beyond the addresses were read
const KNOWN = 2; // the EtherType was found to be none of a tag's
const TYPE = 4; // A holds the EtherType

/**
 * Why an expression is about the frame as it is, as text for the user; undefined when it is not, and tags can be
 * skipped.
 * @param classic its program, not optimised: the optimiser drops comparisons whose outcome follows from others, and
 *   `not ether proto 0x8100 and ip` would no longer mention tags
 */
export function literalReason(text: string, classic: readonly ClassicInsn[]): string | undefined {
  if (usesVlan(text)) return 'it says `vlan`';
  // A program with a loop (`protochain`) is refused later.
  if (classic.some(({ code, k }) => code === CLASS.JMP && k > 0x7fff_ffff)) return undefined;
  const reason = new Follower(classic).reason();
  // libpcap 1.10 forgets to check for IPv4 in `len - ip[2:2] > 14`, so the text decides what was meant.
  return reason === RAW_REASON && !namesFrame(text) ? undefined : reason;
}

/** Whether the text reads bytes of `ether` or of another of libpcap's names for the frame from its first byte on. */
function namesFrame(text: string): boolean {
  const words = tokenise(text).map((token) => token.text);
  return words.some((word, at) => ['ether', 'link', 'ppp', 'slip'].includes(word) && words[at + 1] === '[');
}

class Follower {
  private readonly ways: Set<number>[];
  private readonly analysis: Analysis;

  constructor(private readonly program: readonly ClassicInsn[]) {
    this.analysis = analyse(program);
    this.ways = program.map((_, at) => new Set(at === 0 ? [0] : []));
  }

  reason(): string | undefined {
    for (const [at, insn] of this.program.entries()) {
      for (const way of this.ways[at] as Set<number>) {
        const { code, k } = insn;
        if (code === (CLASS.JMP | JMP.JEQ | SRC.K) && way & TYPE && isTpid(k)) {
          return `it compares the EtherType with that of a tag (0x${k.toString(16)})`;
        }
        const accepts = (code & 7) === CLASS.RET && (k !== 0 || code !== (CLASS.RET | SRC.K));
        if (accepts && way & RAW && !(way & KNOWN)) return RAW_REASON;
        this.follow(insn, at, way);
      }
    }
    return undefined;
  }

  private follow(insn: ClassicInsn, at: number, way: number): void {
    const next = this.analysis.next[at] as number[];
    if ((insn.code & 7) !== CLASS.JMP || insn.code === CLASS.JMP) {
      for (const to of next) this.ways[to]?.add(this.after(insn, at, way));
      return;
    }
    for (const to of next) {
      const outcomes = [...(to === at + 1 + insn.jt ? [true] : []), ...(to === at + 1 + insn.jf ? [false] : [])];
      for (const outcome of outcomes) {
        const known = way & TYPE && excludesTags(insn, outcome) ? KNOWN : 0;
        this.ways[to]?.add(way | known);
      }
    }
  }

  private after(insn: ClassicInsn, at: number, way: number): number {
    const { code, k } = insn;
    if (code === LOAD_TYPE && k === TAG_OFFSET) return way | TYPE;
    const raw = this.readsBeyondAddresses(insn, at) ? RAW : 0;
    return (changesA(code) ? way & ~TYPE : way) | raw;
  }

  private readsBeyondAddresses({ code, k }: ClassicInsn, at: number): boolean {
    if ((code & 7) > CLASS.LDX) return false;
    switch (code & 0xe0) {
      case MODE.ABS:
        return k + loadBytes(code) > TAG_OFFSET;
      case MODE.IND:
        return (this.analysis.states[at]?.x.max ?? 0) + k + loadBytes(code) > TAG_OFFSET;
      default:
        return (code & 0xe0) === MODE.MSH;
    }
  }
}

const isTpid = (type: number): boolean => (TPIDS as readonly number[]).includes(type);

/** Whether it changes A: a load, arithmetic, or TXA. */
function changesA(code: number): boolean {
  const group = code & 7;
  return group === CLASS.LD || group === CLASS.ALU || (group === CLASS.MISC && (code & 0x80) !== 0);
}

/** Whether an EtherType for which the comparison has this outcome cannot be the EtherType of a tag. */
function excludesTags({ code, k }: ClassicInsn, outcome: boolean): boolean {
  const holds = (type: number): boolean => {
    switch (code & 0xf8) {
      case JMP.JEQ:
        return type === k;
      case JMP.JGT:
        return type > k;
      case JMP.JGE:
        return type >= k;
      case JMP.JSET:
        return (type & k) !== 0;
      default:
        return outcome; // a comparison with a register tells nothing
    }
  };
  // "Not 0x800" says nothing about what else the EtherType is.
  const isNegation = (code & 0xf0) === JMP.JEQ && !outcome;
  return !isNegation && TPIDS.every((type) => holds(type) !== outcome);
}
