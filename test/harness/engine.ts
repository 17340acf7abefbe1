/** The engine process behind a running `dpcap`. */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** Pid of the engine of supervisor `pid`. @throws Error when there is none */
export function enginePid(pid: number): number {
  const [engine] = enginesOf(pid);
  if (!engine) throw new Error(`dpcap ${pid} has no engine among its children`);
  return engine;
}

/** Resolves with the pid of the engine of supervisor `pid` when it has started one. @throws Error when it does not */
export async function engineOf(pid: number, timeoutMs = 20_000): Promise<number> {
  for (const deadline = performance.now() + timeoutMs; performance.now() < deadline; await delay(2)) {
    const [engine] = enginesOf(pid);
    if (engine) return engine;
  }
  throw new Error(`dpcap ${pid} started no engine`);
}

/** Pids of all engines of supervisor `pid`: none before it starts one, or when it is gone. */
export function enginesOf(pid: number): number[] {
  return childrenOf(pid).filter((child) => commandOf(child).includes('/engine.cjs'));
}

/** Pids of the children that the main thread of process `pid` has started; none when it is gone. */
export function childrenOf(pid: number): number[] {
  const children = readOr(`/proc/${pid}/task/${pid}/children`, '').trim().split(' ');
  return children.filter(Boolean).map(Number);
}

/** Kills a supervisor, and then its engine, so that nobody clears up after them. */
export function killBoth(pid: number): void {
  const engines = enginesOf(pid);
  process.kill(pid, 'SIGSTOP'); // or it would see its engine die
  for (const engine of engines) process.kill(engine, 'SIGKILL');
  process.kill(pid, 'SIGKILL');
}

/**
 * Resolves when process `pid` is gone or a zombie, in all its threads: until then it may have its sockets open.
 * @throws Error when it is not within the time
 */
export async function gone(pid: number, timeoutMs = 20_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (hasThreads(pid)) {
    if (Date.now() > deadline) throw new Error(`process ${pid} did not end: ${commandOf(pid)}`);
    await delay(10);
  }
}

function hasThreads(pid: number): boolean {
  const isAlive = (id: string): boolean => /^State:\s*[^ZX\s]/m.test(readOr(`/proc/${pid}/task/${id}/status`, ''));
  return threadsOf(pid).some(isAlive);
}

/** CPU time, in seconds, that process `pid` has used in all its threads. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** How often threads of process `pid` that are alive have gone to sleep. */
export function wakeUps(pid: number): number {
  const of = (id: string): number =>
    Number(/^voluntary_ctxt_switches:\s*(\d+)/m.exec(readOr(`/proc/${pid}/task/${id}/status`, ''))?.[1] ?? 0);
  return threadsOf(pid).reduce((sum, id) => sum + of(id), 0);
}

/** None when it has ended. */
function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

/** Empty for a process that has ended. */
function commandOf(pid: number): string {
  return readOr(`/proc/${pid}/cmdline`, '').replaceAll('\0', ' ');
}

/** A process or thread may end before it is read. */
function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return otherwise;
  }
}
