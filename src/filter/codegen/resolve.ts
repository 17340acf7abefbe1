/** The last step of a code generator: labels become distances. */
import { UsageError } from '../../errors.js';
import type { ExtendedInsn } from '../bpf/isa.js';
import { type Item, type Label, tidy } from './peephole.js';

const INT16_MAX = 0x7fff;

/**
 * The instructions without superfluous jumps, and with those that are left leading where their labels are.
 * @throws UsageError ERR_FILTER_UNSUPPORTED when a jump is longer than an instruction can hold
 */
export function resolve(untidy: readonly Item[]): ExtendedInsn[] {
  const items = tidy(untidy);
  const places = new Map<Label, number>();
  let count = 0;
  for (const item of items) {
    if (item.label !== undefined) places.set(item.label, count);
    else count++;
  }
  const program: ExtendedInsn[] = [];
  for (const { insn, target } of items) {
    if (!insn) continue;
    const off = target === undefined ? insn.off : (places.get(target) as number) - program.length - 1;
    if (off > INT16_MAX) {
      throw new UsageError(`the filter is too long: a jump over ${off} instructions, at most ${INT16_MAX}`, {
        code: 'ERR_FILTER_UNSUPPORTED',
        hint: 'use networks or port ranges instead of long lists, or capture in several steps',
      });
    }
    program.push({ ...insn, off });
  }
  return program;
}
