/** Printing by tshark, where tcpdump is not installed: the letters that have an equivalent there. */
import { UsageError } from '../../errors.js';
import type { Display } from '../../protocol/display.js';
import type { PrintingProgram } from './program.js';

/** Its warning about root, which our user did not ask for, and what it says of a stream that ends early. */
const NOISE = /^(Running as user |tshark: The (standard input|file "-") (appears to have been|contains|isn't))/;

/** tshark (4.0.17) refuses sockets, "not a regular file", and what node calls a pipe is one: cat turns it into a pipe. */
const FROM_PIPE = 'exec cat | exec "$0" "$@"';

/** tshark's styles of time (-t), by the number of tcpdump's -t. Without a style the column is left out. */
const STYLES = ['a', undefined, 'e', 'd', 'ad', 'r'] as const;

/** @throws UsageError for what only tcpdump can do */
export function tshark(display: Display): PrintingProgram {
  const words = [...tsharkArguments(display), '-r', '-'];
  return { name: 'tshark', command: '/bin/sh', args: ['-c', FROM_PIPE, 'tshark', ...words], noise: NOISE };
}

/**
 * How tshark is told what to print. Letters without an equivalent that take nothing from what is seen (-q, -v, -S, -K, -H,
 * -u) are left out: docs/tcpdump-letters.md lists them. Pure.
 * @throws UsageError for what only tcpdump can do
 */
export function tsharkArguments({ letters, values, names }: Display): string[] {
  const [impossible] = [...Object.keys(values).map((letter) => `-${letter}`), ...names.map((name) => `--${name}`)];
  if (impossible !== undefined) {
    throw new UsageError(`${impossible}: tshark prints the packets here, and cannot do that`, {
      subject: impossible,
      hint: 'install tcpdump, or leave it out',
    });
  }
  const style = STYLES[letters.t ?? 0];
  const columns = [
    ...(letters['#'] ? ['No.', '%m'] : []),
    ...(style === undefined ? [] : ['Time', '%t']),
    ...(letters.e ? ['Source MAC', '%uhs', 'Destination MAC', '%uhd'] : []),
    ...['Source', '%us', 'Destination', '%ud', 'Protocol', '%p', 'Length', '%L', 'Info', '%i'],
  ];
  return [
    ...['-n', '-l', '-P'],
    ...['-o', `gui.column.format:${columns.map((word) => `"${word}"`).join(',')}`],
    ...(style === undefined ? [] : ['-t', style]),
    // Detail as tshark has it is dozens of lines a packet: who says -v once does not mean that.
    ...((letters.v ?? 0) > 1 ? ['-V'] : []),
    ...(letters.x || letters.X || letters.A ? ['-x'] : []),
    // -S of tcpdump: numbers of sequences as they are.
    ...(letters.S ? ['-o', 'tcp.relative_sequence_numbers:FALSE'] : []),
  ];
}
