/** Instructions a packet in the drain thread, and in the one that merges for several: a number that does not depend on the machine's mood. */
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { attempt, type Figure, some } from './experiment.js';

const PROGRAM = fileURLToPath(new URL('../../build/bench_instructions', import.meta.url));
const CASES = [
  ['drain', 'stamped', 'pcap', '64'],
  ['drain', 'plain', 'pcap', '64'],
  ['drain', 'stamped', 'pcapng', '64'],
  ['drain', 'stamped', 'pcap', '1518'],
  ['merge', 'stamped', 'pcap', '64'],
] as const;

/** What callgrind counts: all that is done below it. */
const WORK = { drain: 'dpcap::Drain::run*', merge: 'dpcap::MergeThread::run*' };

/** For one packet. */
function count(words: (typeof CASES)[number]): number {
  const file = join(tmpdir(), `dpcap-bench-callgrind-${process.pid}`);
  const options = ['--tool=callgrind', `--toggle-collect=${WORK[words[0]]}`, `--callgrind-out-file=${file}`];
  try {
    const stdout = execFileSync('valgrind', [...options, PROGRAM, ...words], {
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
    for (const words of some(settings, CASES)) {
      const [work, mode, format, bytes] = words;
      const variant = `${work}: ${bytes} B, ${format}, ${mode} copies`;
      await attempt(variant, async () => {
        const value = count(words);
        record({ figure: 'drain and merge', variant, tool: 'dpcap', value, unit: 'instructions a packet' });
      });
    }
  },
};
