/**
 * The watchdog process. A process that sets a temporary mirror starts it (start.ts) with its own `PID START_TICKS` as
 * arguments, and the watchdog outlives that process by a moment. It waits for the end of its standard input, which the
 * kernel closes however that process dies. Unless it was told before that all is done, it undoes what the process owes.
 */
import '../system/signals.js';
import { JOURNAL_KIND, undoMirror } from '../mirror/undo.js';
import { Journal } from '../system/journal.js';
import { DONE } from './start.js';

async function watch(pid: number, ticks: number): Promise<void> {
  let said = '';
  for await (const chunk of process.stdin) said += chunk;
  if (said === DONE) return;
  for (const open of new Journal().list()) {
    const { kind, pid: owner, startTicks } = open.entry;
    if (kind !== JOURNAL_KIND || owner !== pid || startTicks !== ticks) continue;
    await undoMirror(open);
    open.close();
  }
}

// A failure leaves the entry for `dpcap recover`, which can report it to a person.
watch(Number(process.argv[2]), Number(process.argv[3])).catch(() => process.exit(1));
