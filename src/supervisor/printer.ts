/** Without `-w`, packets are shown one line each: by tcpdump, which knows how. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { DpcapError, errnoOf } from '../errors.js';
import { diagnostics } from '../system/diagnostics.js';
import { endingSignals } from '../system/signals.js';

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
  /** Resolves when everything has been printed, or nothing more is to be: a signal ends it. */
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
  // Its own words, except where it reads from.
  diagnostics.passOn(child.stderr, (line) => line !== '' && !NOISE.test(line));
  const exit = once(child, 'exit');
  const signals = new LateSignals(child);
  return {
    input: child.stdin as Writable,
    finished: async () => {
      child.stdin.destroy(); // the engine's copy is closed by now: end of file
      signals.isLate = true;
      await exit;
      signals.dispose();
    },
  };
}

/**
 * What tcpdump prints to may stand still, and tcpdump hears no Ctrl-C: once the capture has ended, a signal ends it.
 * Listens from the start, because a signal is lost while one listener takes the place of another.
 */
class LateSignals {
  isLate = false;
  readonly #child: ChildProcess;
  readonly #onSignal = (signal: NodeJS.Signals): void => {
    if (this.isLate) return void this.#child.kill('SIGKILL');
    if (process.listenerCount(signal) > 1) return;
    // Nobody captures yet: it does what it would have done without us.
    this.dispose();
    process.kill(process.pid, signal);
  };

  constructor(child: ChildProcess) {
    this.#child = child;
    for (const signal of endingSignals()) process.on(signal, this.#onSignal);
  }

  dispose(): void {
    for (const signal of endingSignals()) process.off(signal, this.#onSignal);
  }
}

/** Where it reads from, and that nothing came: neither is of interest to whom the capture tells the reason. */
const NOISE = /^(reading from file -|tcpdump: truncated dump file)/;
