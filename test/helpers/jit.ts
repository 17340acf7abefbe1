/** Whether DPDK's JIT takes part in a test. pdump interprets, whatever there is. */
import { encode } from '../../src/filter/bpf/isa.js';
import { convert } from '../../src/filter/codegen/translate.js';
import { binding } from './native.js';

/** With the JIT or without. The JIT of arm64 refuses programs that load from the packet (seen with 22.11.11). */
export const JIT_OR_NOT: readonly boolean[] = hasJit() ? [false, true] : [false];

function hasJit(): boolean {
  const native = binding();
  const classic = native.compileFilter('ether[0] = 2');
  try {
    native.runExtended(encode(convert(classic, { vlan: 'strict', layout: native.mbufLayout })), [], true);
    return true;
  } catch (error) {
    if ((error as { errno?: string }).errno !== 'EOPNOTSUPP') throw error;
    return false;
  }
}
