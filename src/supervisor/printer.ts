/** Without `-w`, packets are shown, one line each, by a program that knows how to do that: tcpdump, or tshark. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { DpcapError, errnoOf } from '../errors.js';
import { type Display, PLAIN_DISPLAY } from '../protocol/display.js';
import { diagnostics } from '../system/diagnostics.js';
import { onEndingSignal } from '../system/signals.js';
import { choosePrintingProgram } from './printing/programs.js';

/** A program that reads packets and prints them on dpcap's standard output. */
export interface Printer {
  /** The program's name. */
  name: string;
  /** The stream that the engine writes to. */
  input: Writable;
  /**
   * Resolves when everything has been printed, or when a signal has ended the printing.
   * @param passedOn settles when the input is complete, where this process writes it; the engine's is complete by now
   */
  finished(passedOn?: Promise<void>): Promise<void>;
  /** The error of a program that ended by itself and says that it failed. Known once finished() has resolved. */
  failure(): DpcapError | undefined;
}

/**
 * Starts the program. It gets a process group of its own: Ctrl-C is for the capture, and the program ends with its input.
 * @param user whom it becomes before it reads a packet (-Z)
 * @throws UsageError for letters that the program cannot do, DpcapError ERR_SINK_OPEN when it cannot be started
 */
export async function startPrinter(display: Display = PLAIN_DISPLAY, user?: string): Promise<Printer> {
  const { name, command, args, noise, ids } = choosePrintingProgram(display, user);
  const child = spawn(command, args, { stdio: ['pipe', 'inherit', 'pipe'], detached: true, ...ids });
  try {
    await once(child, 'spawn');
  } catch (cause) {
    throw new DpcapError('ERR_SINK_OPEN', `cannot print packets: ${name} could not be started`, {
      cause,
      errno: errnoOf(cause),
      hint: 'install tcpdump, or write to a file with -w',
    });
  }
  // The program's own messages are passed on, except for noise about its input.
  let hasReader = true;
  diagnostics.passOn(child.stderr, (line) => {
    if (NO_READER.test(line)) hasReader = false;
    return line !== '' && !noise.test(line) && !NO_READER.test(line);
  });
  const exit = once(child, 'close'); // by then its last words have been read
  const signals = new LateSignals(child);
  return {
    name,
    input: child.stdin as Writable,
    finished: async (passedOn) => {
      signals.isLate = true;
      try {
        await Promise.race([passedOn, exit]);
      } finally {
        child.stdin.destroy(); // the engine's copy is closed by now, so the program sees the end of file
        await exit;
        signals.dispose();
      }
    },
    failure: () => (hasReader && child.exitCode ? printingFailed(name, child.exitCode) : undefined),
  };
}

/** What programs say when the reader of their lines has left (`| head`), which is no failure. */
const NO_READER = /: Broken pipe$/;

function printingFailed(name: string, code: number): DpcapError {
  return new DpcapError('ERR_SINK_WRITE', `the capture ended early: ${name}, which prints the packets, failed`, {
    subject: name,
    hint: `it ended with exit code ${code}; what it said stands above`,
  });
}

/**
 * The reader of the program's output may be stopped, and the program does not get Ctrl-C, so a signal ends it once the
 * capture has ended. This class listens from the start, because a signal is lost while one listener takes the place of
 * another.
 */
class LateSignals {
  isLate = false;
  readonly #child: ChildProcess;
  readonly #forget: () => void;
  readonly #onSignal = (signal: NodeJS.Signals): void => {
    if (this.isLate) return void killGroup(this.#child);
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

/** Kills the program with what it may have started, unless it has ended. */
function killGroup({ pid, exitCode, signalCode }: ChildProcess): void {
  if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid, 'SIGKILL');
}
