/** The tools that are compared, each as a command that captures what port 0 transmits or receives. */
import { fileURLToPath } from 'node:url';

export const DPCAP = fileURLToPath(new URL('../../bin/dpcap.cjs', import.meta.url));

/** What a tool is asked for. */
export interface Request {
  /** File prefix of the primary. */
  prefix: string;
  /** A file, or - for standard output. */
  output: string;
  /** pcap-filter expression. */
  filter?: string | undefined;
  snaplen?: number | undefined;
  /** End after so many packets. */
  count?: number | undefined;
  /** What to capture, of a tool that can choose; default `tx`. */
  direction?: 'rx' | 'tx';
}

/** How to start one on a primary; undefined: it cannot do that. */
export interface Tool {
  name: string;
  /** The primary has to have dpcap's agent. */
  agent?: boolean;
  command(request: Request): string[] | undefined;
}

const counted = (count: number | undefined): string[] => (count === undefined ? [] : ['-c', String(count)]);

function dpcap(name: string, ...options: string[]): Tool {
  return {
    name,
    command: ({ prefix, output, filter, snaplen, count, direction = 'tx' }) => [
      ...[
        process.execPath,
        DPCAP,
        '--file-prefix',
        prefix,
        '-i',
        '0',
        '-Q',
        direction,
        '--stats',
        'none',
        '-w',
        output,
      ],
      ...counted(count),
      ...(snaplen ? ['-s', String(snaplen)] : []),
      ...options,
      ...(filter ? filter.split(' ') : []),
    ],
  };
}

export const DPCAP_AGENT: Tool = { ...dpcap('dpcap, agent', '-F', 'pcap', '--via', 'agent'), agent: true };
/** Whatever it costs the primary. */
export const DPCAP_EBPF = dpcap('dpcap, probes', '-F', 'pcap', '--via', 'ebpf', '--probe-budget', '100');
export const DPCAP_PCAP = dpcap('dpcap', '-F', 'pcap');
export const DPCAP_PCAPNG = dpcap('dpcap pcapng', '-F', 'pcapng');
export const DPCAP_HOST = dpcap('dpcap -j host', '-F', 'pcap', '-j', 'host');

export const DUMPCAP: Tool = {
  name: 'dpdk-dumpcap',
  command: ({ prefix, output, filter, snaplen, count }) => [
    ...['dpdk-dumpcap', '--file-prefix', prefix, '-i', '0', '-q', '-w', output],
    ...counted(count),
    ...(snaplen ? ['-s', String(snaplen)] : []),
    ...(filter ? ['-f', filter] : []),
  ],
};

export const PDUMP: Tool = {
  name: 'dpdk-pdump',
  command: ({ prefix, output, filter, snaplen, count, direction = 'tx' }) =>
    filter || snaplen || count !== undefined || output === '-'
      ? undefined
      : [
          'dpdk-pdump',
          '--file-prefix',
          prefix,
          '-l',
          '0',
          '--',
          '--pdump',
          `port=0,queue=*,${direction}-dev=${output}`,
        ],
};

/** No tool, but the most that can be written. */
export const WRITE_LOOP: Tool = {
  name: 'write loop',
  command: ({ output }) => [fileURLToPath(new URL('../../build/write_loop', import.meta.url)), output],
};

export const TOOLS = [DPCAP_PCAP, DPCAP_AGENT, DPCAP_EBPF, DPCAP_PCAPNG, DPCAP_HOST, DUMPCAP, PDUMP];
