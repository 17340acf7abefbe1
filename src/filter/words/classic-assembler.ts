/**
 * Writes classic BPF with labels. A conditional jump reaches 255 instructions far; a label further away is reached
 * through a jump, or a copy of a return, that is inserted on the way. Jumps go forward only.
 */
import type { ClassicInsn } from '../../native/filter-binding.js';
import { CLASS, JMP, SRC } from '../bpf/isa.js';

/** A place in the program, made by `label` or `returning`. */
export type ClassicLabel = number;

/** The value that an accepting program returns, as in libpcap's programs. */
export const ACCEPT = 262144;

const REACH_MAX = 255;
const JUMP = CLASS.JMP | JMP.JA;
const RETURN = CLASS.RET | SRC.K;

type Item =
  | { kind: 'insn'; code: number; k: number }
  | { kind: 'branch'; code: number; k: number; whenTrue: ClassicLabel; whenFalse: ClassicLabel }
  | { kind: 'jump'; to: ClassicLabel }
  | { kind: 'label'; label: ClassicLabel };

export class ClassicAssembler {
  private readonly items: Item[] = [];
  private readonly returns = new Map<ClassicLabel, number>();
  private labels = 0;

  label(): ClassicLabel {
    return this.labels++;
  }

  /** A jump to this label ends the program with `value`. */
  returning(value: number): ClassicLabel {
    const label = this.label();
    this.returns.set(label, value);
    return label;
  }

  place(label: ClassicLabel): void {
    this.items.push({ kind: 'label', label });
  }

  /** Adds an instruction after which the next one follows. */
  insn(code: number, k = 0): void {
    this.items.push({ kind: 'insn', code, k });
  }

  jump(to: ClassicLabel): void {
    this.items.push({ kind: 'jump', to });
  }

  /** Compares A with `k` as unsigned numbers. */
  branch(op: number, k: number, whenTrue: ClassicLabel, whenFalse: ClassicLabel): void {
    this.items.push({ kind: 'branch', code: CLASS.JMP | op | SRC.K, k, whenTrue, whenFalse });
  }

  /** Goes to `whenTrue` when A equals `k`, otherwise to the next instruction. */
  branchIfEqual(k: number, whenTrue: ClassicLabel): void {
    const next = this.label();
    this.branch(JMP.JEQ, k, whenTrue, next);
    this.place(next);
  }

  finish(): ClassicInsn[] {
    return new Layout(this.returns).of(this.items);
  }
}

/** Places the instructions from the last to the first, so that the distance to every label is known. */
class Layout {
  private readonly reversed: ClassicInsn[] = [];
  /** How many instructions lie behind a label, or behind the nearest instruction that leads to it. */
  private readonly nearest = new Map<ClassicLabel, number>();
  private readonly exact = new Map<ClassicLabel, number>();

  constructor(private readonly returns: ReadonlyMap<ClassicLabel, number>) {}

  of(items: readonly Item[]): ClassicInsn[] {
    for (const item of [...items].reverse()) this.put(item);
    return this.reversed.reverse();
  }

  private put(item: Item): void {
    switch (item.kind) {
      case 'label':
        this.nearest.set(item.label, this.reversed.length);
        this.exact.set(item.label, this.reversed.length);
        break;
      case 'insn':
        this.push(item.code, item.k);
        break;
      case 'jump':
        // A jump to the instruction that comes next anyway is left out.
        if (this.exact.get(item.to) !== this.reversed.length) this.leadTo(item.to);
        break;
      default: {
        const { code, k, whenTrue, whenFalse } = item;
        // An instruction that is inserted for one label moves the other label away by one.
        for (const label of [whenTrue, whenFalse]) if (this.distance(label) >= REACH_MAX) this.leadTo(label);
        this.push(code, k, this.distance(whenTrue), this.distance(whenFalse));
      }
    }
  }

  private push(code: number, k: number, jt = 0, jf = 0): void {
    this.reversed.push({ code, k, jt, jf });
  }

  private distance(label: ClassicLabel): number {
    return this.reversed.length - (this.nearest.get(label) ?? Number.NEGATIVE_INFINITY);
  }

  /** Adds one instruction that leads to a label from anywhere. */
  private leadTo(label: ClassicLabel): void {
    const value = this.returns.get(label);
    if (value === undefined) this.push(JUMP, this.reversed.length - (this.exact.get(label) as number));
    else this.push(RETURN, value);
    this.nearest.set(label, this.reversed.length);
  }
}
