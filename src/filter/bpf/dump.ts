/** Classic programs in the three forms of tcpdump's -d, -dd and -ddd. */
import type { ClassicInsn } from '../../native/filter-binding.js';
import { listClassic } from './listing.js';

/**
 * The program as text, byte for byte as tcpdump prints it. Pure.
 * @param level 1: to be read by people; 2: as a part of a C program; 3 and more: decimal numbers, after their count
 */
export function dumpClassic(program: readonly ClassicInsn[], level: number): string {
  return dumpLines(program, level)
    .map((line) => `${line}\n`)
    .join('');
}

function dumpLines(program: readonly ClassicInsn[], level: number): string[] {
  if (level <= 1) return listClassic(program);
  if (level === 2) {
    return program.map(({ code, jt, jf, k }) => {
      return `{ 0x${code.toString(16)}, ${jt}, ${jf}, 0x${k.toString(16).padStart(8, '0')} },`;
    });
  }
  return [String(program.length), ...program.map(({ code, jt, jf, k }) => `${code} ${jt} ${jf} ${k}`)];
}
