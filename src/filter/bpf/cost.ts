/** What a program costs the primary for each packet, from its shape: the shortest and the longest path through it. */
import { CLASS, type ExtendedInsn, JMP } from './isa.js';

export interface Way {
  instructions: number;
  /** Those of them that load from the packet, which are function calls on a slow path. */
  loads: number;
}

export interface Cost {
  shortest: Way;
  longest: Way;
}

/** Nanoseconds that the interpreter takes, roughly, on a core of some 2.5 GHz with the packet's header in its cache. */
const INSTRUCTION_NS = 1.5;
const LOAD_NS = 4;

export const nanoseconds = ({ instructions, loads }: Way): number =>
  Math.round(instructions * INSTRUCTION_NS + loads * LOAD_NS);

/** Jumps go forward only, so one pass from the end is enough. */
export function costOf(program: readonly ExtendedInsn[]): Cost {
  const costs: Cost[] = new Array(program.length);
  for (let at = program.length - 1; at >= 0; at--) {
    const insn = program[at] as ExtendedInsn;
    const after = successors(insn, at).map((to) => costs[to] as Cost);
    costs[at] = {
      shortest: step(insn, after.map(({ shortest }) => shortest).sort(byTime)[0]),
      longest: step(
        insn,
        after
          .map(({ longest }) => longest)
          .sort(byTime)
          .at(-1),
      ),
    };
  }
  return costs[0] as Cost;
}

const byTime = (a: Way, b: Way): number => nanoseconds(a) - nanoseconds(b);

function step({ code }: ExtendedInsn, after: Way = { instructions: 0, loads: 0 }): Way {
  return { instructions: after.instructions + 1, loads: after.loads + ((code & 7) === CLASS.LD ? 1 : 0) };
}

function successors({ code, off }: ExtendedInsn, at: number): number[] {
  if ((code & 7) !== CLASS.JMP) return [at + 1];
  if ((code & 0xf0) === JMP.EXIT) return [];
  return (code & 0xf0) === JMP.JA ? [at + 1 + off] : [at + 1, at + 1 + off];
}
