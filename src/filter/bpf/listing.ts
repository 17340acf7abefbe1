/** Programs as text for the user: classic ones as tcpdump -d writes them, extended ones in the same manner. */
import type { ClassicInsn } from '../../native/filter-binding.js';
import { ALU, CLASS, type ExtendedInsn, JMP, loadBytes, MODE, SRC } from './isa.js';

const name = (table: Readonly<Record<string, number>>, value: number): string =>
  (Object.entries(table).find(([, code]) => code === value)?.[0] ?? `op${value}`).toLowerCase();
const letter = (code: number): string => ({ 1: 'b', 2: 'h', 4: '' })[loadBytes(code)];
const hex = (value: number): string => `#0x${(value >>> 0).toString(16)}`;
const numbered = (at: number, text: string): string => `(${String(at).padStart(3, '0')}) ${text}`;

/** One line per instruction, byte for byte as libpcap's bpf_image() makes them. */
export function listClassic(program: readonly ClassicInsn[]): string[] {
  return program.map((insn, at) => numbered(at, classicText(insn, at)));
}

function classicText({ code, k, jt, jf }: ClassicInsn, at: number): string {
  const columns = (op: string, operand = ''): string => `${op.padEnd(8)} ${operand}`;
  const other = (code & SRC.X) === 0 ? hex(k) : 'x';
  switch (code & 7) {
    case CLASS.LD:
      return columns(`ld${letter(code)}`, classicPlace(code, k));
    case CLASS.LDX:
      return columns((code & 0xe0) === MODE.MSH ? 'ldxb' : 'ldx', classicPlace(code, k));
    case CLASS.ST:
      return columns('st', `M[${k}]`);
    case CLASS.STX:
      return columns('stx', `M[${k}]`);
    case CLASS.ALU:
      return columns(name(ALU, code & 0xf0), arithmeticOperand(code, other, k));
    case CLASS.JMP: {
      if (code === CLASS.JMP) return columns('ja', String(at + 1 + k));
      return `${columns(name(JMP, code & 0xf0), other).padEnd(25)} jt ${at + 1 + jt}\tjf ${at + 1 + jf}`;
    }
    case CLASS.RET:
      return columns('ret', (code & 0x18) === 0x10 ? '' : `#${k}`);
    default:
      return columns((code & 0x80) === 0 ? 'tax' : 'txa');
  }
}

/** Masks are written in hexadecimal, quantities in decimal. */
function arithmeticOperand(code: number, other: string, k: number): string {
  const op = code & 0xf0;
  if (op === ALU.NEG) return '';
  const isMask = op === ALU.AND || op === ALU.OR || op === ALU.XOR;
  return isMask || (code & SRC.X) !== 0 ? other : `#${k}`;
}

function classicPlace(code: number, k: number): string {
  switch (code & 0xe0) {
    case MODE.IMM:
      return hex(k);
    case MODE.ABS:
      return `[${k | 0}]`;
    case MODE.IND:
      return `[x + ${k | 0}]`;
    case MODE.MEM:
      return `M[${k}]`;
    case MODE.LEN:
      return '#pktlen';
    default:
      return `4*([${k}]&0xf)`;
  }
}

/** One line per instruction. R6 is the mbuf, R0 the accumulator and the result. */
export function listExtended(program: readonly ExtendedInsn[]): string[] {
  return program.map((insn, at) => numbered(at, extendedText(insn, at)));
}

function extendedText({ code, dst, src, off, imm }: ExtendedInsn, at: number): string {
  const operand = (code & SRC.X) === 0 ? String(imm) : `r${src}`;
  const memory = (base: number): string => `[r${base} ${off < 0 ? '-' : '+'} ${Math.abs(off)}]`;
  const size = 8 * loadBytes(code);
  switch (code & 7) {
    case CLASS.LD: {
      const index = (code & 0xe0) === MODE.IND ? `r${src} + ` : '';
      return `r0 = packet${size}[${index}${imm}]`;
    }
    case CLASS.LDX:
      return `r${dst} = mem${size}${memory(src)}`;
    case CLASS.STX:
      return `mem${size}${memory(dst)} = r${src}`;
    case CLASS.JMP: {
      if ((code & 0xf0) === JMP.EXIT) return 'exit';
      const to = `goto ${at + 1 + off}`;
      return (code & 0xf0) === JMP.JA ? to : `if r${dst} ${name(JMP, code & 0xf0)} ${operand} ${to}`;
    }
    default: {
      const op = code & 0xf0;
      if (op === ALU.MOV) return `r${dst} = ${operand}`;
      if (op === ALU.END) return `r${dst} = swap${imm} r${dst}`;
      return op === ALU.NEG ? `r${dst} = -r${dst}` : `r${dst} ${name(ALU, op)}= ${operand}`;
    }
  }
}
