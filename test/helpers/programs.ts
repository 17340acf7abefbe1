/** Classic programs nobody would write: valid for libpcap's interpreter, with defined results, otherwise anything goes. */
import type { ClassicInsn } from '../../src/native/filter-binding.js';
import type { Random } from './random.js';

const CONSTANTS = [
  0, 1, 2, 3, 4, 8, 11, 12, 13, 14, 20, 31, 32, 60, 255, 0x800, 0xffff, 0x10000, 0x7fffffbf, 0x7fffffc0,
];
const LARGE = [
  0x7ffffff7, 0x7ffffff8, 0x7fffffff, 0x80000000, 0xfffeffff, 0xffffff00, 0xfffffff0, 0xfffffffe, 0xffffffff,
];
const LOADS = [0x20, 0x28, 0x30, 0x40, 0x48, 0x50];
const WORDS = 4;

const insn = (code: number, k = 0, jt = 0, jf = 0): ClassicInsn => ({ code, jt, jf, k });

function value(random: Random): number {
  if (random.chance(6)) return random.pick(LARGE);
  return random.chance(3) ? random.below(70) : random.pick(CONSTANTS);
}

/** Offsets of absolute loads stay below the kernel's ancillary data, which is refused. */
const offset = (random: Random): number => (random.chance(3) ? Math.min(value(random), 0xffffefff) : random.below(64));

/** One instruction that goes on with the next. */
function step(random: Random): ClassicInsn {
  switch (random.below(10)) {
    case 0:
    case 1:
    case 2: {
      const code = random.pick(LOADS);
      return insn(code, code < 0x40 ? offset(random) : value(random));
    }
    case 3:
      return insn(random.pick([0x00, 0x01]), value(random));
    case 4:
      return insn(0xb1, offset(random));
    case 5:
      return insn(random.pick([0x80, 0x81]));
    case 6:
      return insn(random.pick([0x02, 0x03, 0x60, 0x61]), random.below(WORDS));
    case 7:
      return insn(random.pick([0x07, 0x87]));
    default:
      return arithmetic(random);
  }
}

/** By a constant: no division by zero and no shift by 32 or more, which libpcap 1.10 leaves undefined. */
function arithmetic(random: Random): ClassicInsn {
  const op = random.pick([0x00, 0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0x80, 0x90, 0xa0]);
  if (op === 0x80) return insn(0x84);
  if (random.chance(2)) return insn(op | 0x0c);
  const shifts = op === 0x60 || op === 0x70;
  const divides = op === 0x30 || op === 0x90;
  return insn(op | 0x04, shifts ? random.below(32) : divides ? Math.max(1, value(random)) : value(random));
}

function jump(random: Random, left: number): ClassicInsn {
  if (random.chance(6)) return insn(0x05, random.below(left));
  const op = random.pick([0x10, 0x20, 0x30, 0x40]);
  const reach = Math.min(left, 256);
  return insn(op | 0x05 | random.pick([0, 8]), value(random), random.below(reach), random.below(reach));
}

/** Scratch words are written first, because libpcap 1.10 does not clear them. */
export function randomProgram(random: Random): ClassicInsn[] {
  const length = random.between(1, 40);
  const program = Array.from({ length: WORDS }, (_, word) => insn(0x02, word));
  for (let left = length; left > 0; left--) {
    if (random.chance(4)) program.push(jump(random, left));
    else if (random.chance(12)) program.push(random.chance(2) ? insn(0x16) : insn(0x06, random.below(3)));
    else program.push(step(random));
  }
  return [...program, random.chance(2) ? insn(0x16) : insn(0x06, 262144)];
}

/** Changes constants and jumps of a program from libpcap. Loads of M[] are left alone. */
export function mutate(random: Random, program: readonly ClassicInsn[]): ClassicInsn[] {
  return program.map((old, at) => {
    if (!random.chance(6)) return old;
    const left = program.length - at - 1;
    switch (old.code & 7) {
      case 0:
        return LOADS.includes(old.code) ? { ...old, k: old.code < 0x40 ? offset(random) : value(random) } : old;
      case 5:
        return left === 0 || old.code === 5 ? old : { ...old, k: value(random), jt: Math.min(old.jt, left - 1) };
      case 4:
        return old.code === 0x84 || (old.code & 8) !== 0 ? old : arithmetic(random);
      default:
        return old;
    }
  });
}
