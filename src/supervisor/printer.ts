/** Without `-w`, packets are shown, one line each, by tcpdump, which knows how to do that. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { DpcapError, errnoOf } from '../errors.js';
import { diagnostics } from '../system/diagnostics.js';
import { onEndingSignal } from '../system/signals.js';

/** tcpdump's options for how packets are shown, by letter. */
export interface DisplayOptions {
  A?: boolean;
  e?: boolean;
  t?: boolean;
  v?: boolean;
  x?: boolean;
  X?: boolean;
  /** Shows all nine digits of a second; tcpdump's default is six. */
  nano?: boolean;
}

/** A tcpdump that reads packets and prints them on dpcap's standard output. */
export interface Printer {
  /** The stream that the engine writes to. */
  input: Writable;
  /** Resolves when everything has been printed, or when a signal has ended the printing. */
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
  // tcpdump's own messages are passed on, except the NOISE about its input.
  diagnostics.passOn(child.stderr, (line) => line !== '' && !NOISE.test(line));
  const exit = once(child, 'exit');
  const signals = new LateSignals(child);
  return {
    input: child.stdin as Writable,
    finished: async () => {
      child.stdin.destroy(); // the engine's copy is closed by now, so tcpdump sees the end of file
      signals.isLate = true;
      await exit;
      signals.dispose();
    },
  };
}

/**
 * The reader of tcpdump's output may be stopped, and tcpdump does not get Ctrl-C, so a signal ends tcpdump once the
 * capture has ended. This class listens from the start, because a signal is lost while one listener takes the place of
 * another.
 */
class LateSignals {
  isLate = false;
  readonly #child: ChildProcess;
  readonly #forget: () => void;
  readonly #onSignal = (signal: NodeJS.Signals): void => {
    if (this.isLate) return void this.#child.kill('SIGKILL');
    if (process.listenerCount(signal) > 1) return;
    // Nothing captures yet, so the signal does what it would have done without this listener.
    this.dispose();
    process.kill(process.pid, signal);
  };

  constructor(child: ChildProcess) {
    this.#child = child;
    this.#forget = onEndingSignal(this.#onSignal);
  }

  dispose(): void {
    this.#forget();
  }
}

/** tcpdump's words about where it reads from, and that nothing came. The capture itself tells the reason. */
const NOISE = /^(reading from file -|tcpdump: truncated dump file)/;
