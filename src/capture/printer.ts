/** Without `-w`, packets are shown one line each: by tcpdump, which knows how. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { DpcapError, errnoOf } from '../errors.js';

/** tcpdump's options for how packets are shown, by letter. */
export interface DisplayOptions {
  A?: boolean;
  e?: boolean;
  t?: boolean;
  v?: boolean;
  x?: boolean;
  X?: boolean;
  /** All nine digits of a second; tcpdump's own are six. */
  nano?: boolean;
}

/** A tcpdump that reads packets and prints them on our standard output. */
export interface Printer {
  /** Where the engine writes. */
  input: Writable;
  /** Resolves when everything has been printed. */
  finished(): Promise<void>;
}

/**
 * Starts tcpdump. It gets a process group of its own: Ctrl-C is for the capture, and tcpdump ends with its input.
 * @throws DpcapError ERR_SINK_OPEN when it is not installed
 */
export async function startPrinter(display: DisplayOptions = {}): Promise<Printer> {
  const { nano, ...letters } = display;
  const words = Object.entries(letters).flatMap(([letter, wanted]) => (wanted ? [`-${letter}`] : []));
  if (nano) words.push('--time-stamp-precision=nano');
  const child = spawn('tcpdump', ['-nn', '-l', ...words, '-r', '-'], {
    stdio: ['pipe', 'inherit', 'pipe'],
    detached: true,
  });
  try {
    await once(child, 'spawn');
  } catch (cause) {
    throw new DpcapError('ERR_SINK_OPEN', 'cannot print packets: tcpdump could not be started', {
      cause,
      errno: errnoOf(cause),
      hint: 'install tcpdump, or write to a file with -w',
    });
  }
  passOn(child);
  const exit = once(child, 'exit');
  return {
    input: child.stdin as Writable,
    finished: async () => {
      child.stdin?.destroy(); // the engine's copy is closed by now: end of file
      await exit;
    },
  };
}

/** Where it reads from, and that nothing came: neither is of interest to whom the capture tells the reason. */
const NOISE = /^(reading from file -|tcpdump: truncated dump file)/;

/** tcpdump's own words, except the line about where it reads from. */
function passOn(child: ChildProcess): void {
  child.stderr?.on('data', (text: Buffer) => {
    const lines = text
      .toString()
      .split('\n')
      .filter((line) => line && !NOISE.test(line));
    if (lines.length > 0) process.stderr.write(`${lines.join('\n')}\n`);
  });
}
