/**
 * Makes jumps as short as they can be, before they are resolved: none leads to another jump or to what comes next
 * anyway. Code that no path leads to is dropped, because DPDK's verifier refuses it. Jumps go forward only.
 */
import { CLASS, type ExtendedInsn, JMP } from '../bpf/isa.js';

/** A place in the program; made by `Assembler.label`, placed once by `Assembler.place`. */
export type Label = number;

/** An instruction, or a label that stands between two instructions. */
export interface Item {
  insn?: ExtendedInsn;
  /** Where `insn` jumps to. */
  target?: Label;
  label?: Label;
}

const JA = CLASS.JMP | JMP.JA;
const EXIT = CLASS.JMP | JMP.EXIT;
const INVERSE = new Map<number, number>([
  [JMP.JEQ, JMP.JNE],
  [JMP.JNE, JMP.JEQ],
  [JMP.JGT, JMP.JLE],
  [JMP.JLE, JMP.JGT],
  [JMP.JGE, JMP.JLT],
  [JMP.JLT, JMP.JGE],
]);

/** The same program without superfluous jumps. */
export function tidy(items: readonly Item[]): Item[] {
  return withoutDetours(reachable(threaded(items)));
}

/** A jump that leads to another jump goes where that one goes. A comparison whose two ways meet at once is dropped. */
function threaded(items: readonly Item[]): Item[] {
  const finals = new Map<Label, Label>();
  const kept: Item[] = [];
  let next: Item = {};
  for (const item of [...items].reverse()) {
    if (item.label !== undefined) {
      if (next.insn?.code === JA) finals.set(item.label, next.target as Label);
      kept.push(item);
      continue;
    }
    const target = item.target === undefined ? undefined : (finals.get(item.target) ?? item.target);
    if (target !== undefined && item.insn?.code !== JA && next.insn?.code === JA && next.target === target) continue;
    next = target === undefined ? item : { ...item, target };
    kept.push(next);
  }
  return kept.reverse();
}

/** Keeps what some path leads to. */
function reachable(items: readonly Item[]): Item[] {
  const targets = new Set<Label>();
  let isReached = true;
  return items.filter(({ insn, target, label }) => {
    if (label !== undefined) isReached ||= targets.has(label);
    if (!isReached) return false;
    if (target !== undefined) targets.add(target);
    if (insn?.code === JA || insn?.code === EXIT) isReached = false;
    return true;
  });
}

/** Drops jumps to the next instruction; "if c go on, else jump" becomes one inverted jump. */
function withoutDetours(items: readonly Item[]): Item[] {
  const kept: Item[] = [];
  items.forEach((item, at) => {
    if (item.insn?.code === JA) {
      const next = labelsAt(items, at + 1);
      if (next.has(item.target as Label)) return;
      const inverted = invert(kept.at(-1), next, item.target as Label);
      if (inverted) {
        kept[kept.length - 1] = inverted;
        return;
      }
    }
    kept.push(item);
  });
  return kept;
}

/** The labels that stand before the next instruction. */
function labelsAt(items: readonly Item[], at: number): Set<Label> {
  const found = new Set<Label>();
  for (let i = at; items[i]?.label !== undefined; i++) found.add(items[i]?.label as Label);
  return found;
}

/** The branch to `target` that a branch over a jump to `target` amounts to. */
function invert(branch: Item | undefined, next: Set<Label>, target: Label): Item | undefined {
  const { insn } = branch ?? {};
  if (!insn || (insn.code & 7) !== CLASS.JMP || !next.has(branch?.target as Label)) return undefined;
  const inverse = INVERSE.get(insn.code & 0xf0);
  return inverse === undefined ? undefined : { insn: { ...insn, code: (insn.code & ~0xf0) | inverse }, target };
}
