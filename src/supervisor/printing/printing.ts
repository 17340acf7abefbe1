/** The printing of one capture: a program, and the way by which packets reach it. */
import type { DpcapError } from '../../errors.js';
import type { Display } from '../../protocol/display.js';
import type { Inherited } from '../engine-process.js';
import { startPrinter } from '../printer.js';
import { Follower } from './follow.js';

export interface Printing {
  /** The program's name. */
  name: string;
  /** The output of an engine that writes to the program itself. */
  inherited?: Inherited;
  /** To be called when the output is open. */
  begin(): void;
  /** Resolves when everything has been printed, or when a signal has ended the printing. */
  finished(): Promise<void>;
  /** The error of a program that ended by itself and says that it failed. Known once finished() has resolved. */
  failure(): DpcapError | undefined;
}

/**
 * Starts printing what the engine writes to `inherited`.
 * @param user whom the program becomes
 * @throws as startPrinter()
 */
export async function printInstead(display: Display, user?: string): Promise<Printing> {
  const { name, input, finished, failure } = await startPrinter(display, user);
  return { name, inherited: input, begin: () => {}, finished: () => finished(), failure };
}

/**
 * Starts printing what grows in the file at `path`, which has this name from begin() on.
 * @param user whom the program becomes
 * @throws as startPrinter()
 */
export async function printBeside(path: string, display: Display, user?: string): Promise<Printing> {
  const { name, input, finished, failure } = await startPrinter(display, user);
  const follower = new Follower(input);
  return {
    name,
    begin: () => follower.start(path),
    finished: () => finished(follower.finish()),
    failure,
  };
}
