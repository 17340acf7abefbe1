/** Unsigned 32-bit intervals, and what each arithmetic instruction of the classic machine does to them. */
import { ALU } from './isa.js';

/** Every value is between min and max, both included. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

export const UINT32_MAX = 0xffff_ffff;
export const ANY: Range = { min: 0, max: UINT32_MAX };
export const ZERO: Range = { min: 0, max: 0 };

export const constant = (value: number): Range => ({ min: value, max: value });
export const isConstant = (range: Range): boolean => range.min === range.max;
export const join = (a: Range, b: Range): Range => ({ min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) });

/** The common part of two intervals, or undefined when there is none. */
export function meet(a: Range, b: Range): Range | undefined {
  const min = Math.max(a.min, b.min);
  const max = Math.min(a.max, b.max);
  return min <= max ? { min, max } : undefined;
}

/** All ones up to the highest bit of `value`. */
export const bitsBelow = (value: number): number => (value === 0 ? 0 : 2 ** (32 - Math.clz32(value)) - 1);

/** One classic arithmetic operation on two known values; undefined for a division by zero, which ends the program. */
function compute(op: number, a: number, b: number): number | undefined {
  switch (op) {
    case ALU.ADD:
      return (a + b) >>> 0;
    case ALU.SUB:
      return (a - b) >>> 0;
    case ALU.MUL:
      return Math.imul(a, b) >>> 0;
    case ALU.DIV:
      return b === 0 ? undefined : Math.floor(a / b);
    case ALU.MOD:
      return b === 0 ? undefined : a % b;
    case ALU.OR:
      return (a | b) >>> 0;
    case ALU.AND:
      return (a & b) >>> 0;
    case ALU.XOR:
      return (a ^ b) >>> 0;
    case ALU.LSH:
      return b < 32 ? (a << b) >>> 0 : 0;
    case ALU.RSH:
      return b < 32 ? a >>> b : 0;
    default:
      return -a >>> 0;
  }
}

/** The interval when it fits in 32 bits, otherwise ANY, because the operation may wrap. */
const unlessWrapped = (min: number, max: number): Range => (min >= 0 && max <= UINT32_MAX ? { min, max } : ANY);

/** The interval of `a op b`; undefined when the operation always ends the program. */
export function arithmetic(op: number, a: Range, b: Range): Range | undefined {
  if (isConstant(a) && isConstant(b)) {
    const value = compute(op, a.min, b.min);
    return value === undefined ? undefined : constant(value);
  }
  switch (op) {
    case ALU.ADD:
      return unlessWrapped(a.min + b.min, a.max + b.max);
    case ALU.SUB:
      return unlessWrapped(a.min - b.max, a.max - b.min);
    case ALU.MUL:
      return unlessWrapped(a.min * b.min, a.max * b.max);
    case ALU.DIV:
      return b.max === 0 ? undefined : { min: 0, max: Math.floor(a.max / Math.max(b.min, 1)) };
    case ALU.MOD:
      return b.max === 0 ? undefined : { min: 0, max: Math.min(a.max, b.max - 1) };
    case ALU.AND:
      return { min: 0, max: Math.min(a.max, b.max) };
    case ALU.OR:
    case ALU.XOR:
      return { min: 0, max: Math.max(bitsBelow(a.max), bitsBelow(b.max)) };
    case ALU.LSH:
      return b.max < 32 ? unlessWrapped(a.min * 2 ** b.min, a.max * 2 ** b.max) : ANY;
    case ALU.RSH:
      return { min: 0, max: b.min < 32 ? Math.floor(a.max / 2 ** b.min) : 0 };
    default:
      return ANY;
  }
}
