/** Options for dpcap that a test gives unless it says otherwise: no option that takes one value may be given twice. */
export function withDefaults(defaults: Record<string, string>, args: readonly string[]): string[] {
  const left = Object.entries(defaults).filter(([name]) => !args.includes(name));
  return [...left.flat(), ...args];
}

/** With DPCAP_TEST_EBPF=1 captures are by probes, also of applications that are driven past what these can bear. */
export const isByProbes = process.env.DPCAP_TEST_EBPF === '1';
const PROBES: Record<string, string> = isByProbes ? { '--via': 'ebpf', '--probe-budget': '100' } : {};

/** Statistics to be read by a program, and a small mempool, so that several fit into a primary's memory. */
export const CAPTURE_DEFAULTS = { '--stats': 'ndjson', '--stats-interval': '0.1', '-B': '16384', ...PROBES };
