/** The tools that are compared, each as a command that captures everything net_null0 transmits into one file. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const DPCAP = fileURLToPath(new URL('../../bin/dpcap.js', import.meta.url));

/** How to start one on a primary. */
export interface Tool {
  name: string;
  command(prefix: string, file: string): string[];
  /** Words on its output once packets flow. */
  ready: RegExp;
  /** Name under which the file is written before it is finished. */
  working(file: string): string;
}

const same = (file: string): string => file;

const dpcap = (name: string, ...options: string[]): Tool => ({
  name,
  command: (prefix, file) => [
    process.execPath,
    DPCAP,
    '--file-prefix',
    prefix,
    '-i',
    '0',
    '-Q',
    'tx',
    '-w',
    file,
    ...options,
  ],
  ready: /capturing on/,
  working: (file) => `${file}.partial`,
});

export const TOOLS: Tool[] = [
  dpcap('dpcap pcap', '-F', 'pcap'),
  dpcap('dpcap pcapng', '-F', 'pcapng'),
  dpcap('dpcap -j host', '-F', 'pcap', '-j', 'host'),
  {
    name: 'dpdk-dumpcap',
    command: (prefix, file) => ['dpdk-dumpcap', '--file-prefix', prefix, '-i', '0', '-q', '-w', file],
    ready: /Capturing on/,
    working: same,
  },
  {
    name: 'dpdk-pdump',
    command: (prefix, file) => [
      'dpdk-pdump',
      '--file-prefix',
      prefix,
      '--no-pci',
      '-l',
      '0',
      '--',
      '--pdump',
      `port=0,queue=*,tx-dev=${file}`,
    ],
    ready: /core \(0\)|Capture|dump/,
    working: same,
  },
];

/** A started tool. */
export interface RunningTool {
  child: ChildProcess;
  /** SIGINT and its end. */
  stop(): Promise<{ code: number | null; output: string }>;
}

/** Starts a tool and resolves when it says that it captures. */
export async function startTool(tool: Tool, prefix: string, file: string): Promise<RunningTool> {
  const [program, ...args] = tool.command(prefix, file) as [string, ...string[]];
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const exit = once(child, 'exit') as Promise<[number | null]>;
  await new Promise<void>((resolve, reject) => {
    const look = (text: Buffer): void => {
      output += text.toString();
      if (tool.ready.test(output)) resolve();
    };
    child.stdout.on('data', look);
    child.stderr.on('data', look);
    exit.then(() => reject(new Error(`${tool.name} ended: ${output}`)));
  });
  return {
    child,
    stop: async () => {
      child.kill('SIGINT');
      const [code] = await exit;
      return { code, output };
    },
  };
}
