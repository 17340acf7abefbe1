/** Starts the process (main.ts) that undoes a temporary change when the one that made it dies. */
import { entryFile } from '../system/location.js';
import { spawnNode } from '../system/own-process.js';
import { readProcess } from '../system/process.js';

/** The message that tells the watchdog that nothing is left to undo. */
export const DONE = 'done';

/** Starts the watchdog of this process. It ends by itself when this process does; `stop` ends it sooner. */
export function startWatchdog(): { stop(): void } {
  const ticks = readProcess(process.pid)?.startTicks ?? 0;
  const child = spawnNode([entryFile('watchdog'), String(process.pid), String(ticks)], {
    detached: true, // Ctrl-C is for this process alone
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.on('error', () => undefined); // without the watchdog there is still the journal
  child.stdin?.on('error', () => undefined);
  child.unref();
  (child.stdin as unknown as { unref?(): void }).unref?.();
  return { stop: () => child.stdin?.end(DONE) };
}
