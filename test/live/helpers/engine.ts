/** The engine process behind a running `dpcap`. */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** Pid of the engine of supervisor `pid`. @throws Error when there is none */
export function enginePid(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  const engine = children.map(Number).find((child) => commandOf(child).includes('/engine.cjs'));
  if (!engine) throw new Error(`dpcap ${pid} has no engine among its children: ${children}`);
  return engine;
}

/** Resolves when process `pid` is gone or a zombie. @throws Error when it is not within the time */
export async function gone(pid: number, timeoutMs = 20_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (commandOf(pid) !== '') {
    if (Date.now() > deadline) throw new Error(`process ${pid} did not end: ${commandOf(pid)}`);
    await delay(10);
  }
}

/** CPU time, in seconds, that process `pid` has used in all its threads. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Empty for a process that has ended, also before its parent took notice. */
function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}
