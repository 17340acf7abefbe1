/** Implements `--explain` and `--test-filter`: what a filter is, costs and selects, without any primary. */
import type { CaptureFile, FilterBinding } from '../native/filter-binding.js';
import type { Backend } from '../protocol/request.js';
import { costOf, nanoseconds, type Way } from './bpf/cost.js';
import { decode } from './bpf/isa.js';
import { listClassic, listExtended } from './bpf/listing.js';
import { HEADER_BYTES, KERNEL_INSN_MAX, mayBeUndecided } from './codegen/kernel.js';
import { type FilterProgram, VIEWS } from './compile.js';
import { vlanText } from './words/vlan-ids.js';

/** Where a filter runs, by the way that a capture goes. */
const PLACES: Record<Backend, string> = {
  auto: 'in the primary',
  pdump: 'in the primary',
  agent: 'in the application',
  ebpf: 'in the kernel',
};

/** What of a filter does not run where the packets are: probes see little of them, and the kernel takes no long program. */
function limitsOf({ extended, kernel }: FilterProgram, via: Backend): string[] {
  if (via !== 'ebpf') return [];
  if (!kernel) {
    return [`the filter is longer than the ${KERNEL_INSN_MAX} instructions for the kernel: it runs in dpcap's engine`];
  }
  const where = `the filter runs in the kernel, on the first ${HEADER_BYTES} bytes of a packet`;
  if (!mayBeUndecided(decode(extended))) return [where];
  return [`${where}; one of which it has to see more is copied whole, and filtered in dpcap's engine`];
}

/** The whole explanation as text. */
export function explainFilter(filter: FilterProgram | undefined, via: Backend): string {
  if (!filter) return 'no filter: every packet is captured, and no program is loaded into the primary\n';
  const place = PLACES[via];
  const { expression, stages, extended, extendedTx, kernel, inner, vlan, notes, hints } = filter;
  const lines = [`filter: ${expression}`];
  if (typeof vlan === 'object') lines.push(`the frame must have VLAN ${vlanText(vlan)} among its tags`);
  if (vlan === 'none') lines.push('the frame must have no VLAN tag');
  if (inner !== undefined) lines.push(`what follows is about the packet inside ${inner} tunnel${inner > 1 ? 's' : ''}`);
  for (const note of [...notes, ...hints, ...limitsOf(filter, via)]) lines.push(`note: ${note}`);
  for (const { text, view, why, classic } of stages) {
    const reading = why === undefined ? VIEWS[view] : `${VIEWS[view]}, because ${why}`;
    lines.push('', `classic BPF of "${text}", ${reading}: ${classic.length} instructions`, ...listClassic(classic));
  }
  lines.push('', ...program('received', extended, place));
  if (extendedTx !== extended) lines.push('', ...program('transmitted', extendedTx, place));
  if (via === 'ebpf' && kernel) lines.push('', `translated for the kernel: ${decode(kernel.rx).length} instructions`);
  return `${lines.join('\n')}\n`;
}

function program(which: string, bytes: Uint8Array, place: string): string[] {
  const insns = decode(bytes);
  const { shortest, longest } = costOf(insns);
  const way = (one: Way): string =>
    `${one.instructions} instructions (${one.loads} packet loads, about ${nanoseconds(one)} ns)`;
  return [
    `eBPF for ${which} packets: ${insns.length} instructions, ${bytes.length} bytes`,
    `estimated cost ${place}, per packet: from ${way(shortest)} to ${way(longest)}`,
    ...listExtended(insns),
  ];
}

/** Lists the packets of a file that the program selects; the numbers count from 1, as in tcpdump and Wireshark. */
export function testFilter(filter: FilterProgram | undefined, file: CaptureFile, native: FilterBinding): string {
  const verdicts = filter ? native.runInterpreter(filter.extended, file.packets) : file.packets.map(() => 1);
  const selected = [...verdicts].flatMap((verdict, at) => (verdict ? [at + 1] : []));
  const numbers = selected.length > 0 ? `\n${ranges(selected).join(', ')}` : '';
  return `${selected.length} of ${file.packets.length} packets would be captured${numbers}\n`;
}

/** 1, 3-5, 9 */
function ranges(numbers: readonly number[]): string[] {
  const found: [number, number][] = [];
  for (const number of numbers) {
    const last = found.at(-1);
    if (last && last[1] === number - 1) last[1] = number;
    else found.push([number, number]);
  }
  return found.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`));
}
