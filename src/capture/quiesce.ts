/**
 * Waits until no thread of the primary can still be inside a pdump callback. Removing a callback does not wait for a
 * thread that is executing it (no release before 25.11 does, and 25.11 misses one that has fetched the pointer), and the
 * thread may be preempted in there for as long as the scheduler likes; freeing its ring or mempool then crashes it.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** CPU time in which any callback is long over: a burst through the longest filter takes a few milliseconds. */
const GRACE_CPU_NS = 10_000_000n;
const POLL_MS = 10;
/** Where the primary's threads cannot be seen (another PID namespace), time alone has to do. */
const BLIND_WAIT_MS = 1000;

/** One thread at one moment. */
export interface ThreadState {
  id: string;
  /** CPU time it has used, ns (first field of schedstat). */
  cpuNs: bigint;
  /** Sleeping in a system call: outside of any callback, which makes none. */
  sleeping: boolean;
}

/** Reads the threads of a process, or undefined when they cannot be seen or it is gone. */
export type ReadThreads = () => ThreadState[] | undefined;

/**
 * Resolves with true once every thread has either slept or used GRACE_CPU_NS since the call, with false when one has
 * done neither within `timeoutMs` (stopped by a debugger, starved): then nothing may be freed.
 */
export async function waitForQuiescence(readThreads: ReadThreads, timeoutMs = 5000): Promise<boolean> {
  const before = readThreads();
  if (!before) {
    await sleep(Math.min(BLIND_WAIT_MS, timeoutMs));
    return true;
  }
  const pending = new Map(before.map((thread) => [thread.id, thread.cpuNs]));
  const deadline = Date.now() + timeoutMs;
  while (true) {
    const now = readThreads() ?? [];
    const current = new Map(now.map((thread) => [thread.id, thread]));
    for (const [id, cpuNs] of pending) {
      const thread = current.get(id);
      if (!thread || thread.sleeping || thread.cpuNs - cpuNs >= GRACE_CPU_NS) pending.delete(id);
    }
    if (pending.size === 0) return true;
    if (Date.now() >= deadline) return false;
    await sleep(POLL_MS);
  }
}

/** Threads of process `pid` from /proc. */
export function procThreads(pid: number, procDir = '/proc'): ReadThreads {
  const dir = join(procDir, String(pid), 'task');
  return () => {
    try {
      return readdirSync(dir).flatMap((id) => readThread(dir, id));
    } catch {
      return undefined; // gone or not visible: the caller treats both as "cannot be seen"
    }
  };
}

function readThread(dir: string, id: string): ThreadState[] {
  try {
    const cpuNs = BigInt(readFileSync(join(dir, id, 'schedstat'), 'latin1').split(' ')[0] ?? '0');
    const stat = readFileSync(join(dir, id, 'stat'), 'latin1');
    const state = stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
    return [{ id, cpuNs, sleeping: state === 'S' || state === 'I' || state === 'Z' }];
  } catch {
    return []; // the thread ended meanwhile
  }
}
