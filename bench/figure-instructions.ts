/** Instructions a packet in the drain thread: a number that does not depend on the machine's mood. */
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { attempt, type Figure, some } from './experiment.js';

const PROGRAM = fileURLToPath(new URL('../../build/bench_instructions', import.meta.url));
const CASES = [
  ['stamped', 'pcap', '64'],
  ['plain', 'pcap', '64'],
  ['stamped', 'pcapng', '64'],
  ['stamped', 'pcap', '1518'],
] as const;

/** Of everything below Drain::run, for one packet. */
function count(words: readonly string[]): number {
  const file = join(tmpdir(), `dpcap-bench-callgrind-${process.pid}`);
  const options = ['--tool=callgrind', '--toggle-collect=dpcap::Drain::run*', `--callgrind-out-file=${file}`];
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
      const [mode, format, bytes] = words;
      const variant = `${bytes} B, ${format}, ${mode} copies`;
      await attempt(variant, async () => {
        const value = count(words);
        record({ figure: 'drain and record', variant, tool: 'dpcap', value, unit: 'instructions a packet' });
      });
    }
  },
};
