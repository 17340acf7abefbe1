/** Printing by tcpdump, which knows all the letters because they are its own. */
import { spawnSync } from 'node:child_process';
import { UsageError } from '../../errors.js';
import type { Display } from '../../protocol/display.js';
import type { PrintingProgram } from './program.js';

/** Its words about where it reads from, and that nothing came. The capture itself tells the reason. */
const NOISE = /^(reading from file -|dropped privs to |tcpdump: truncated dump file)/;

/** The first release that has `--lengths`. */
const LENGTHS_RELEASE = 5;

/**
 * @param user whom tcpdump becomes before it reads a packet; undefined: whom it was built to become, `tcpdump` on Debian
 * @throws UsageError for what the installed release does not know
 */
export function tcpdump(display: Display, user?: string): PrintingProgram {
  if (display.names.includes('lengths')) requireRelease(LENGTHS_RELEASE, '--lengths');
  const as = user === undefined ? [] : ['-Z', user];
  return { name: 'tcpdump', command: 'tcpdump', args: [...tcpdumpArguments(display), ...as, '-r', '-'], noise: NOISE };
}

/** How tcpdump is told what to print. Pure. */
export function tcpdumpArguments({ letters, values, names, nano }: Display): string[] {
  return [
    '-nn',
    '-l',
    ...Object.entries(letters).map(([letter, times]) => `-${letter.repeat(times)}`),
    ...Object.entries(values).flatMap(([letter, value]) => [`-${letter}`, value]),
    ...names.map((name) => `--${name}`),
    ...(nano ? ['--time-stamp-precision=nano'] : []),
  ];
}

function requireRelease(least: number, option: string): void {
  const { stdout = '' } = spawnSync('tcpdump', ['--version'], { encoding: 'utf8' });
  const [text, major] = /tcpdump version (\d+)[\d.]*/.exec(stdout) ?? ['tcpdump'];
  if (Number(major) >= least) return;
  throw new UsageError(`${option}: ${text}, which prints the packets, does not know it`, {
    subject: option,
    hint: `leave it out, or install tcpdump ${least}`,
  });
}
