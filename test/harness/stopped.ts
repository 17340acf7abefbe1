/** Processes that a debugger or Ctrl-Z has stopped, as the tests make them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Stops a process. Resolves when none of its threads runs any more: one may go on for as long as it has the CPU. */
export async function stopProcess(pid: number): Promise<void> {
  process.kill(pid, 'SIGSTOP');
  while (!isStopped(pid)) await delay(1);
}

/** Lets it go on. */
export function continueProcess(pid: number): void {
  process.kill(pid, 'SIGCONT');
}

/** Whether all its threads are stopped; not when it is gone. */
export function isStopped(pid: number): boolean {
  const tasks = `/proc/${pid}/task`;
  if (!existsSync(tasks)) return false;
  return readdirSync(tasks).every((id) => /^State:\s*T/m.test(statusOf(join(tasks, id))));
}

/** A thread may end between listing and reading. */
function statusOf(task: string): string {
  try {
    return readFileSync(join(task, 'status'), 'latin1');
  } catch {
    return 'State:\tT (ended)';
  }
}
