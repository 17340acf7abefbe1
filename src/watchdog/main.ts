/**
 * The watchdog process. A process that makes a temporary change starts it (start.ts) with its own `PID START_TICKS` as
 * arguments, and the watchdog outlives that process by a moment. It waits for the end of its standard input, which the
 * kernel closes however that process dies. Unless it was told before that all is done, it undoes what the process owes.
 */
import '../system/signals.js';
import { Journal } from '../system/journal.js';
import { DONE } from './start.js';
import { changeKind } from './undoers.js';

async function watch(pid: number, ticks: number): Promise<void> {
  let said = '';
  for await (const chunk of process.stdin) said += chunk;
  if (said === DONE) return;
  for (const open of new Journal().list()) {
    const { kind, pid: owner, startTicks } = open.entry;
    if (owner !== pid || startTicks !== ticks) continue;
    const change = changeKind(kind);
    if (!change) continue;
    await change.undo(open);
    open.close();
  }
}

// A failure leaves the entry for `dpcap recover`, which can report it to a person.
watch(Number(process.argv[2]), Number(process.argv[3])).catch(() => process.exit(1));
