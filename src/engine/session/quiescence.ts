/**
 * Waits until no thread of the primary can still be inside a pdump callback. Removing a callback does not wait for a
 * thread that is executing it (no release before 25.11 does, and 25.11 misses one that has fetched the pointer), and
 * the thread may be preempted in there for as long as the scheduler likes; freeing its ring or mempool then crashes it.
 */
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { errnoOf } from '../../errors.js';
import { BLIND } from '../../protocol/messages.js';

/** CPU time after which any callback is over: a burst through the longest filter takes a few milliseconds. */
const GRACE_CPU_NS = 10_000_000n;
const POLL_MS = 10;

/** One thread at one moment. */
export interface ThreadState {
  id: string;
  /** CPU time that the thread has used, ns (first field of schedstat). */
  cpuNs: bigint;
  /** In a system call, be it asleep, frozen or stopped there: it is outside of any callback, which makes none. */
  isOutside: boolean;
}

/** Reads the threads that may be in a callback; undefined when they cannot be seen. */
export type ReadThreads = () => ThreadState[] | undefined;

/**
 * Resolves with undefined once every thread has been outside of callbacks or has used GRACE_CPU_NS since the call. Else
 * it resolves after `timeoutMs` with the obstacle, for people (a thread is stopped, frozen or starved, or no thread can
 * be seen); nothing may be freed then. A thread that appears later cannot have entered a callback.
 */
export async function waitForQuiescence(readThreads: ReadThreads, timeoutMs = 5000): Promise<string | undefined> {
  const before = readThreads();
  if (!before || before.length === 0) return BLIND;
  const pending = new Map(before.map((thread) => [thread.id, thread.cpuNs]));
  const deadline = performance.now() + timeoutMs;
  while (true) {
    const now = readThreads();
    if (now) {
      const current = new Map(now.map((thread) => [thread.id, thread]));
      for (const [id, cpuNs] of pending) {
        const thread = current.get(id);
        if (!thread || thread.isOutside || thread.cpuNs - cpuNs >= GRACE_CPU_NS) pending.delete(id);
      }
    }
    const [id] = pending.keys();
    if (id === undefined) return undefined;
    if (performance.now() >= deadline) return now ? `thread ${id} of the primary does not run` : BLIND;
    await sleep(POLL_MS);
  }
}

/** Reads the threads of these processes from /proc. What has ended is left out; undefined when /proc cannot be read. */
export function procThreads(pids: readonly number[], procDir = '/proc'): ReadThreads {
  return () => {
    try {
      if (!isOfOurNamespace(procDir)) return undefined;
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

/** A /proc that was mounted in another PID namespace has other processes under the same numbers. */
function isOfOurNamespace(procDir: string): boolean {
  return readlinkSync(join(procDir, 'self')) === String(process.pid);
}

function readThread(dir: string, id: string): ThreadState {
  return { id, cpuNs: cpuTime(dir), isOutside: isInSystemCall(dir) ?? sleepsInSystemCall(dir) };
}

/**
 * The file `syscall` begins with the number of the system call, or with -1 for a thread that does not run and is in
 * none, or is "running". The state letter alone does not tell: a thread that the cgroup freezer (v2) has halted in the
 * middle of a callback sleeps ("S") as well. Returns undefined without the right to trace the thread.
 */
function isInSystemCall(dir: string): boolean | undefined {
  try {
    return /^\d/.test(readFileSync(join(dir, 'syscall'), 'latin1'));
  } catch (error) {
    if (existsSync(join(dir, 'stat'))) return undefined;
    throw error;
  }
}

/** Kernel functions in which a halted thread waits, or a thread whose page fault is served by user space. */
const HALTED = /^(0|get_signal|do_signal_stop|ptrace_stop|do_freezer_trap|__refrigerator|handle_userfault)?$/;

/** The same, for users who may not trace (Yama) but may look: by the state, and the function that it waits in. */
function sleepsInSystemCall(dir: string): boolean {
  const stat = readFileSync(join(dir, 'stat'), 'latin1');
  const [state] = stat.slice(stat.lastIndexOf(')') + 2);
  return state === 'S' && !HALTED.test(readFileSync(join(dir, 'wchan'), 'latin1'));
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
