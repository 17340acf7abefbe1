/** Primaries of ours: built on first use, started, awaited, and ended by closing their standard input. */
import { atExit } from './at-exit.js';
import { removeEalFiles } from './owned.js';
import { type Exit, type Running, start } from './processes.js';

const QUIT_TIMEOUT_MS = 10_000;

/** A running one. */
export interface OwnedPrimary {
  prefix: string;
  process: Running;
  /** Ends it in order, or by force, and removes its files. */
  stop(): Promise<Exit>;
}

/**
 * Starts a program that prints "ready", and waits for that.
 * @param prefix the file prefix that is among its words
 * @throws Error with its output
 */
export async function startOwnedPrimary(
  prefix: string,
  program: string,
  words: string[],
  env: NodeJS.ProcessEnv = {},
): Promise<OwnedPrimary> {
  const forget = atExit(() => removeEalFiles(prefix));
  const running = start(program, words, { env });
  const stop = async (): Promise<Exit> => {
    running.closeStdin();
    const late = setTimeout(() => running.signal('SIGKILL'), QUIT_TIMEOUT_MS);
    const exit = await running.exited;
    clearTimeout(late);
    removeEalFiles(prefix);
    forget();
    return exit;
  };
  try {
    await running.expect(/^ready$/m);
    return { prefix, process: running, stop };
  } catch (error) {
    running.signal('SIGKILL');
    await stop();
    throw error;
  }
}
