/** The tools that are compared, each as a command that captures what net_null0 transmits. */
import { fileURLToPath } from 'node:url';

const DPCAP = fileURLToPath(new URL('../../bin/dpcap.cjs', import.meta.url));

/** What a tool is asked for. */
export interface Request {
  /** File prefix of the primary. */
  prefix: string;
  /** A file, or - for standard output. */
  output: string;
  /** pcap-filter expression. */
  filter?: string | undefined;
  snaplen?: number | undefined;
}

/** How to start one on a primary; undefined: it cannot do that. */
export interface Tool {
  name: string;
  /** The primary has to have dpcap's agent. */
  agent?: boolean;
  command(request: Request): string[] | undefined;
}

function dpcap(name: string, ...options: string[]): Tool {
  return {
    name,
    command: ({ prefix, output, filter, snaplen }) => [
      ...[process.execPath, DPCAP, '--file-prefix', prefix, '-i', '0', '-Q', 'tx', '--stats', 'none', '-w', output],
      ...(snaplen ? ['-s', String(snaplen)] : []),
      ...options,
      ...(filter ? filter.split(' ') : []),
    ],
  };
}

export const DPCAP_AGENT: Tool = { ...dpcap('dpcap, agent', '-F', 'pcap', '--via', 'agent'), agent: true };
export const DPCAP_PCAP = dpcap('dpcap', '-F', 'pcap');
export const DPCAP_PCAPNG = dpcap('dpcap pcapng', '-F', 'pcapng');
export const DPCAP_HOST = dpcap('dpcap -j host', '-F', 'pcap', '-j', 'host');

export const DUMPCAP: Tool = {
  name: 'dpdk-dumpcap',
  command: ({ prefix, output, filter, snaplen }) => [
    ...['dpdk-dumpcap', '--file-prefix', prefix, '-i', '0', '-q', '-w', output],
    ...(snaplen ? ['-s', String(snaplen)] : []),
    ...(filter ? ['-f', filter] : []),
  ],
};

export const PDUMP: Tool = {
  name: 'dpdk-pdump',
  command: ({ prefix, output, filter, snaplen }) =>
    filter || snaplen || output === '-'
      ? undefined
      : ['dpdk-pdump', '--file-prefix', prefix, '-l', '0', '--', '--pdump', `port=0,queue=*,tx-dev=${output}`],
};

/** No tool, but the most that can be written. */
export const WRITE_LOOP: Tool = {
  name: 'write loop',
  command: ({ output }) => [fileURLToPath(new URL('../../build/write_loop', import.meta.url)), output],
};

export const TOOLS = [DPCAP_PCAP, DPCAP_AGENT, DPCAP_PCAPNG, DPCAP_HOST, DUMPCAP, PDUMP];
