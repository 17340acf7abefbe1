/** The tools that are compared, each as a command that captures everything net_null0 transmits into one file. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const DPCAP = fileURLToPath(new URL('../../bin/dpcap.js', import.meta.url));

/** How to start one on a primary. */
export interface Tool {
  name: string;
  command(prefix: string, file: string): string[];
}

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
});

export const TOOLS: Tool[] = [
  dpcap('dpcap pcap', '-F', 'pcap'),
  dpcap('dpcap pcapng', '-F', 'pcapng'),
  dpcap('dpcap -j host', '-F', 'pcap', '-j', 'host'),
  {
    name: 'dpdk-dumpcap',
    command: (prefix, file) => ['dpdk-dumpcap', '--file-prefix', prefix, '-i', '0', '-q', '-w', file],
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
  },
];

/** A started tool. */
export interface RunningTool {
  child: ChildProcess;
  /** SIGINT and its end. */
  stop(): Promise<{ code: number | null; output: string }>;
}

/** Bytes of the file, under its own name or that of an unfinished one. */
function sizeOf(file: string): number {
  const names = readdirSync(dirname(file)).filter((name) => name.startsWith(basename(file)));
  return names.reduce(
    (sum, name) => sum + (statSync(join(dirname(file), name), { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
}

/** Starts a tool and resolves when packets reach its file. */
export async function startTool(tool: Tool, prefix: string, file: string): Promise<RunningTool> {
  const [program, ...args] = tool.command(prefix, file) as [string, ...string[]];
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (text: Buffer) => {
    output += text.toString();
  });
  child.stderr.on('data', (text: Buffer) => {
    output += text.toString();
  });
  const exit = once(child, 'exit') as Promise<[number | null]>;
  const ended = exit.then(() => true);
  // The tools' words are buffered or none; the first packets in the file are not.
  while (sizeOf(file) < 100_000) {
    if (await Promise.race([ended, sleep(20, false)])) throw new Error(`${tool.name} ended: ${output}`);
  }
  return {
    child,
    stop: async () => {
      child.kill('SIGINT');
      const [code] = await exit;
      return { code, output };
    },
  };
}
