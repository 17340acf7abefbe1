/** Instructions a packet in the threads that carry packets: a number that does not depend on the machine's mood. */
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileFilter } from '../src/filter/compile.js';
import { filterNative } from '../src/primary/joining/filter-native.js';
import { attempt, type Figure, some } from './experiment.js';

interface Case {
  variant: string;
  program: string;
  words: string[];
  /** What callgrind counts: all that is done below this function. */
  work: string;
}

const DRAIN = 'dpcap::Drain::run*';

function pdump(work: 'drain' | 'merge', mode: 'plain' | 'stamped', format: string, bytes: number): Case {
  return {
    variant: `${work}: ${bytes} B, ${format}, ${mode} copies`,
    program: 'bench_instructions',
    words: [work, mode, format, String(bytes)],
    work: work === 'drain' ? DRAIN : 'dpcap::MergeThread::run*',
  };
}

/** The packets go to UDP port 9. */
function agent(work: 'callback' | 'drain', format: string, bytes: number, filter?: string): Case {
  const program = filter && compileFilter({ expressions: [filter] }, { native: filterNative() });
  return {
    variant: `agent's ${work}: ${bytes} B, ${format}${filter ? `, ${filter}` : ''}`,
    program: 'bench_agent_instructions',
    words: [work, format, String(bytes), ...(program ? [Buffer.from(program.extended).toString('hex')] : [])],
    work: work === 'drain' ? DRAIN : 'on_rx',
  };
}

const cases = (): Case[] => [
  pdump('drain', 'stamped', 'pcap', 64),
  pdump('drain', 'plain', 'pcap', 64),
  pdump('drain', 'stamped', 'pcapng', 64),
  pdump('drain', 'stamped', 'pcap', 1518),
  pdump('merge', 'stamped', 'pcap', 64),
  agent('callback', 'pcap', 64),
  agent('callback', 'pcapng', 64),
  agent('callback', 'pcap', 1518),
  agent('callback', 'pcap', 64, 'udp dst port 9'),
  agent('callback', 'pcap', 64, 'udp dst port 11'),
  agent('drain', 'pcap', 64),
  agent('drain', 'pcap', 1518),
];

/** For one packet. */
function count({ program, words, work }: Case): number {
  const file = join(tmpdir(), `dpcap-bench-callgrind-${process.pid}`);
  const options = ['--tool=callgrind', `--toggle-collect=${work}`, `--callgrind-out-file=${file}`];
  const path = fileURLToPath(new URL(`../../build/${program}`, import.meta.url));
  try {
    const stdout = execFileSync('valgrind', [...options, path, ...words], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const packets = Number(stdout.trim().split('\n').at(-1));
    const total = Number(/^(?:totals|summary): (\d+)/m.exec(readFileSync(file, 'utf8'))?.[1]);
    return total / packets;
  } finally {
    rmSync(file, { force: true });
  }
}

export const instructions: Figure = {
  name: 'instructions',
  async measure(settings, record) {
    for (const one of some(settings, cases())) {
      await attempt(one.variant, async () => {
        const sample = { figure: 'threads that carry packets', variant: one.variant, tool: 'dpcap' };
        record({ ...sample, value: count(one), unit: 'instructions a packet' });
      });
    }
  },
};
