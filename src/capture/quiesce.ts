/**
 * Waits until no thread of the primary can still be inside a pdump callback. Removing a callback does not wait for a
 * thread that is executing it (no release before 25.11 does, and 25.11 misses one that has fetched the pointer), and the
 * thread may be preempted in there for as long as the scheduler likes; freeing its ring or mempool then crashes it.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { errnoOf } from '../errors.js';

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

/** Reads the threads that may be in a callback; undefined when they cannot be seen. */
export type ReadThreads = () => ThreadState[] | undefined;

/**
 * Resolves with true once every thread has either slept or used GRACE_CPU_NS since the call, with false when one has
 * done neither within `timeoutMs` (stopped by a debugger, starved): then nothing may be freed.
 */
export async function waitForQuiescence(readThreads: ReadThreads, timeoutMs = 5000): Promise<boolean> {
  const before = readThreads();
  if (!before || before.length === 0) {
    await sleep(Math.min(BLIND_WAIT_MS, timeoutMs));
    return true;
  }
  const pending = new Map(before.map((thread) => [thread.id, thread.cpuNs]));
  const deadline = Date.now() + timeoutMs;
  while (true) {
    const now = readThreads();
    if (now) {
      const current = new Map(now.map((thread) => [thread.id, thread]));
      for (const [id, cpuNs] of pending) {
        const thread = current.get(id);
        if (!thread || thread.sleeping || thread.cpuNs - cpuNs >= GRACE_CPU_NS) pending.delete(id);
      }
    }
    if (pending.size === 0) return true;
    if (Date.now() >= deadline) return false;
    await sleep(POLL_MS);
  }
}

/** Threads of these processes from /proc. A process or thread that ended has none; what cannot be read is undefined. */
export function procThreads(pids: readonly number[], procDir = '/proc'): ReadThreads {
  return () => {
    try {
      return pids.flatMap((pid) => threadsOf(join(procDir, String(pid), 'task')));
    } catch {
      return undefined;
    }
  };
}

function threadsOf(dir: string): ThreadState[] {
  const ids = unlessEnded(() => readdirSync(dir)) ?? [];
  return ids.flatMap((id) => unlessEnded(() => readThread(join(dir, id), id)) ?? []);
}

function readThread(dir: string, id: string): ThreadState {
  const stat = readFileSync(join(dir, 'stat'), 'latin1');
  const state = stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
  return { id, cpuNs: cpuTime(dir), sleeping: state === 'S' || state === 'I' || state === 'Z' };
}

/** @throws Error on a kernel without CONFIG_SCHED_INFO, where the thread is there and the file is not */
function cpuTime(dir: string): bigint {
  try {
    return BigInt(readFileSync(join(dir, 'schedstat'), 'latin1').split(' ')[0] ?? '0');
  } catch (error) {
    if (existsSync(join(dir, 'stat'))) throw new Error(`cannot read ${dir}/schedstat`, { cause: error });
    throw error;
  }
}

/** The result, or undefined when the thread or process ended meanwhile. */
function unlessEnded<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ESRCH') return undefined;
    throw error;
  }
}
