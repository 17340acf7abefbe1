/** Refuses classic programs that cannot run in a primary, each with the reason and what to do instead. */

import { UsageError } from '../../errors.js';
import type { ClassicInsn } from '../../native/filter-binding.js';
import { ALU, CLASS, JMP, MEMWORDS, MODE } from './isa.js';

/** The longest classic program that is accepted, as in the kernel and in DPDK's own tools. */
const CLASSIC_INSN_MAX = 4096;
/** The longest search: all paths through it are short, and the reach of its jumps bounds the eBPF made of it. */
export const SEARCH_INSN_MAX = 32768;

/** Linux's ancillary data: loads from these negative offsets ask the kernel, not the packet (`SKF_AD_*`). */
const ANCILLARY = 0xffff_f000;
const ANCILLARY_END = ANCILLARY + 64;
const ANCILLARY_NAMES: Record<number, string> = { 0: 'protocol', 4: 'inbound or outbound', 8: 'ifindex' };

const LOADS = [0x00, 0x20, 0x28, 0x30, 0x40, 0x48, 0x50, 0x60, 0x80];
const INDEX_LOADS = [0x01, 0x61, 0x81, 0xb1];
const OTHERS = [0x02, 0x03, 0x06, 0x16, 0x07, 0x87];
const ALU_CODES = Object.values(ALU)
  .filter((op) => op <= ALU.XOR)
  .flatMap((op) => (op === ALU.NEG ? [op | CLASS.ALU] : [op | CLASS.ALU, op | CLASS.ALU | 8]));
const JMP_CODES = [JMP.JEQ, JMP.JGT, JMP.JGE, JMP.JSET].flatMap((op) => [op | CLASS.JMP, op | CLASS.JMP | 8]);
const KNOWN = new Set<number>([...LOADS, ...INDEX_LOADS, ...OTHERS, ...ALU_CODES, ...JMP_CODES, CLASS.JMP]);

function refuse(message: string, hint: string): never {
  throw new UsageError(message, { code: 'ERR_FILTER_UNSUPPORTED', hint });
}

/**
 * Checks that every opcode is known and that every jump goes forward and stays inside the program.
 * @throws UsageError ERR_FILTER_UNSUPPORTED
 */
export function checkClassic(program: readonly ClassicInsn[], most = CLASSIC_INSN_MAX): void {
  if (program.length === 0) refuse('the filter program is empty', 'give an expression, or no filter at all');
  if (program.length > most) {
    refuse(
      `the filter is too long: ${program.length} instructions, at most ${most} can run in a primary`,
      'use networks or port ranges instead of long lists, or capture in several steps',
    );
  }
  program.forEach((insn, at) => {
    checkInsn(insn, at, program.length);
  });
  const last = program.at(-1) as ClassicInsn;
  if ((last.code & 7) !== CLASS.RET && last.code !== CLASS.JMP) endless();
}

function endless(): never {
  refuse('the filter program does not end with a return', 'report this: libpcap does not write such programs');
}

function checkInsn({ code, k, jt, jf }: ClassicInsn, at: number, length: number): void {
  if (!KNOWN.has(code)) {
    const hex = `0x${code.toString(16)}`;
    refuse(`the filter program uses an unknown opcode ${hex} at instruction ${at}`, 'report this with the expression');
  }
  if (code === CLASS.JMP) {
    if (k > 0x7fff_ffff) {
      refuse(
        'the filter needs a loop (`protochain`), which cannot run in a primary',
        'use `proto`, which looks at the first next-header, or name the extension header by its offset',
      );
    }
    if (at + 1 + k >= length) endless();
  } else if ((code & 7) === CLASS.JMP && at + 1 + Math.max(jt, jf) >= length) {
    endless();
  }
  const isMemory =
    (code & 7) === CLASS.ST || (code & 7) === CLASS.STX || ((code & 7) <= 1 && (code & 0xe0) === MODE.MEM);
  if (isMemory && k >= MEMWORDS) refuse(`the filter program uses M[${k}], there are ${MEMWORDS}`, 'report this');
  if ((code & 7) === CLASS.LD && (code & 0xe0) === MODE.ABS && k >= ANCILLARY && k < ANCILLARY_END)
    refuseAncillary(k - ANCILLARY);
}

function refuseAncillary(which: number): never {
  const name = ANCILLARY_NAMES[which] ?? `ancillary word ${which}`;
  refuse(
    `the filter asks the kernel for ${name}, and packets of a primary never pass the kernel`,
    which === 4 ? 'use -Q rx or -Q tx instead' : 'use -i or --queue to choose where packets are taken',
  );
}
