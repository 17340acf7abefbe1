/** The tools that are asked the same, as commands that capture what port 0 of a primary receives. */
import { DPCAP } from '../../test/harness/index.js';

/** What a tool is asked for. */
export interface Request {
  /** File prefix of the primary. */
  prefix: string;
  /** The file to write. */
  output: string;
  /** pcap-filter expression. */
  filter?: string;
  /** End after so many packets. */
  count?: number;
}

/** How to start one; undefined: it has no words for that. */
export interface Tool {
  name: string;
  command(request: Request): string[] | undefined;
}

const counted = (count: number | undefined): string[] => (count === undefined ? [] : ['-c', String(count)]);

export const TOOLS: Tool[] = [
  {
    name: 'dpcap',
    command: ({ prefix, output, filter, count }) => [
      ...[DPCAP, '--file-prefix', prefix, '-i', '0', '-Q', 'rx', '-w', output, ...counted(count)],
      ...(filter ? [filter] : []),
    ],
  },
  {
    name: 'dpdk-dumpcap',
    command: ({ prefix, output, filter, count }) => [
      ...['dpdk-dumpcap', '--file-prefix', prefix, '-i', '0', '-q', '-w', output, ...counted(count)],
      ...(filter ? ['-f', filter] : []),
    ],
  },
  {
    name: 'dpdk-pdump',
    command: ({ prefix, output, filter, count }) =>
      filter || count !== undefined
        ? undefined
        : ['dpdk-pdump', '--file-prefix', prefix, '-l', '0', '--', '--pdump', `port=0,queue=*,rx-dev=${output}`],
  },
];
