import { binding } from '../binding.js';
import { convert } from './convert.js';
import { encode } from './insn.js';
export interface RawFilterOptions {
  expression?: string;
  vlan?: string;
}
export interface FilterProgram {
  expression: string;
  extended: Uint8Array;
}
export function compileFilter(words: string[], raw: RawFilterOptions): FilterProgram | undefined {
  const expression = [words.join(' '), raw.expression ?? ''].filter((x) => x).join(' and ');
  if (!expression) return undefined;
  return {
    expression,
    extended: encode(
      convert(binding().compileFilter(expression), {
        vlan: raw.vlan === 'strict' ? 'strict' : 'any',
        layout: binding().mbufLayout,
      }),
    ),
  };
}
