/**
 * The classic machine in TypeScript, for what libpcap's interpreter cannot say: whether a program looks at bytes that are not
 * there, the addresses of a packet that a tunnel carries without an Ethernet header.
 */
import type { ClassicInsn } from '../../src/native/filter-binding.js';

/** Ends the program with 0. */
class Rejected extends Error {}

/** Whether a program asks for the frame's length. */
export const readsLength = (program: readonly ClassicInsn[]): boolean =>
  program.some(({ code }) => code === 0x80 || code === 0x81);

class Machine {
  private a = 0;
  private x = 0;
  private readonly m = new Array<number>(16).fill(0);

  constructor(
    private readonly frame: Uint8Array,
    /** Bytes in front of this offset may not be read. */
    private readonly from: number,
    private readonly length: number,
  ) {}

  run(program: readonly ClassicInsn[]): number {
    for (let at = 0; ; at++) {
      const { code, k, jt, jf } = program[at] as ClassicInsn;
      if ((code & 7) === 6) return code === 0x16 ? this.a : k;
      if (code === 5) at += k;
      else if ((code & 7) === 5) at += this.compare(code, k) ? jt : jf;
      else this.step(code, k);
    }
  }

  private bytes(offset: number, count: number): number {
    if (offset < this.from || offset + count > this.frame.length) throw new Rejected();
    return this.frame.subarray(offset, offset + count).reduce((value, byte) => value * 256 + byte, 0);
  }

  private load(code: number, k: number): number {
    const count = { 0: 4, 8: 2, 16: 1 }[code & 0x18] as number;
    switch (code & 0xe0) {
      case 0x00:
        return k;
      case 0x20:
        return this.bytes(k, count);
      case 0x40:
        return this.bytes(k + this.x, count);
      case 0x60:
        return this.m[k] as number;
      case 0x80:
        return this.length;
      default:
        return (this.bytes(k, 1) & 15) * 4;
    }
  }

  private step(code: number, k: number): void {
    switch (code & 7) {
      case 0:
        this.a = this.load(code, k);
        break;
      case 1:
        this.x = this.load(code, k);
        break;
      case 2:
        this.m[k] = this.a;
        break;
      case 3:
        this.m[k] = this.x;
        break;
      case 4:
        this.a = arithmetic(code & 0xf0, this.a, (code & 8) === 0 ? k : this.x);
        break;
      default:
        if (code === 7) this.x = this.a;
        else this.a = this.x;
    }
  }

  private compare(code: number, k: number): boolean {
    const other = (code & 8) === 0 ? k : this.x;
    switch (code & 0xf0) {
      case 0x10:
        return this.a === other;
      case 0x20:
        return this.a > other;
      case 0x30:
        return this.a >= other;
      default:
        return (this.a & other) !== 0;
    }
  }
}

function arithmetic(op: number, a: number, b: number): number {
  if ((op === 0x30 || op === 0x90) && b === 0) throw new Rejected();
  const results: Record<number, () => number> = {
    0: () => a + b,
    16: () => a - b,
    32: () => Math.imul(a, b),
    48: () => Math.floor(a / b),
    64: () => a | b,
    80: () => a & b,
    96: () => (b > 31 ? 0 : a << b),
    112: () => (b > 31 ? 0 : a >>> b),
    128: () => -a,
    144: () => a % b,
    160: () => a ^ b,
  };
  return (results[op] as () => number)() >>> 0;
}

/**
 * 1 or 0: what the program says about a frame of which the bytes before `from` are missing, and whose `len` is another than
 * what there is of it.
 */
export function runClassic(
  program: readonly ClassicInsn[],
  frame: Uint8Array,
  from = 0,
  length: number = frame.length,
): number {
  try {
    return new Machine(frame, from, length).run(program) === 0 ? 0 : 1;
  } catch (error) {
    if (error instanceof Rejected) return 0;
    throw error;
  }
}
