/**
 * Outlives the process that set a temporary mirror, by a moment: started as `watchdog.js PID START_TICKS`, it waits for
 * the end of its standard input, which the kernel closes however that process dies. Unless it was told before that all is
 * done, it undoes what the dead process owes.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Journal } from '../journal.js';
import { readProcess } from '../primary/process.js';
import { JOURNAL_KIND, undoMirror } from './undo.js';

const DONE = 'done';

/** Starts the watchdog of this process. It ends by itself when this process does; `stop` ends it sooner. */
export function startWatchdog(): { stop(): void } {
  const ticks = readProcess(process.pid)?.startTicks ?? 0;
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), String(process.pid), String(ticks)], {
    detached: true, // Ctrl-C is for us alone
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.on('error', () => undefined); // without it there is still the journal
  child.stdin?.on('error', () => undefined);
  child.unref();
  (child.stdin as unknown as { unref?(): void }).unref?.();
  return { stop: () => child.stdin?.end(DONE) };
}

async function watch(pid: number, ticks: number): Promise<void> {
  let said = '';
  for await (const chunk of process.stdin) said += chunk;
  if (said === DONE) return;
  for (const { entry, close } of new Journal().list()) {
    if (entry.kind !== JOURNAL_KIND || entry.pid !== pid || entry.startTicks !== ticks) continue;
    await undoMirror(entry.undo);
    close();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  // A failure leaves the entry for `dpcap recover`, which can say so to somebody.
  watch(Number(process.argv[2]), Number(process.argv[3])).catch(() => process.exit(1));
}
