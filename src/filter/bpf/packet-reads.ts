/** Tells what the instructions of a classic program read from a packet. */
import type { ClassicInsn } from '../../native/filter-binding.js';
import { TAG_OFFSET } from '../codegen/tags.js';
import { OFFSET_MAX } from './analyse.js';
import { CLASS, loadBytes, MODE } from './isa.js';

/** Whether an instruction loads from the packet or loads its length, and so needs the mbuf. */
export function readsPacket({ code }: ClassicInsn): boolean {
  const mode = code & 0xe0;
  if ((code & 7) > CLASS.LDX) return false;
  return mode !== MODE.IMM && mode !== MODE.MEM;
}

/** Whether the loaded value can differ between a frame and the same frame without tags. */
export function dependsOnTags(insn: ClassicInsn): boolean {
  if (!readsPacket(insn)) return false;
  const mode = insn.code & 0xe0;
  if (mode === MODE.ABS || mode === MODE.MSH) {
    const bytes = mode === MODE.MSH ? 1 : loadBytes(insn.code);
    return insn.k + bytes > TAG_OFFSET && insn.k <= OFFSET_MAX;
  }
  return mode !== MODE.LEN;
}
