/** The threads of a process that may be borrowed for a call. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { attempt } from '../../system/process.js';

/** A thread, and what it does. */
export interface Thread {
  tid: number;
  name: string;
  /** Number of the system call that it is blocked in; undefined while it runs, or where that cannot be read. */
  call: number | undefined;
}

/**
 * EAL's own control threads, those that hold no lock of the application's first; each up to 23.07, and from 23.11 on
 * (rte_thread_create_internal_control). A thread's name has 15 characters at most.
 */
const CONTROL_THREADS = [
  'eal-intr-thread',
  'dpdk-intr',
  'telemetry-v2',
  'dpdk-telemet-v2',
  'rte_mp_handle',
  'dpdk-mp-msg',
];

/** The control threads of EAL in a process, those to try first first. Empty when it has ended. */
export function controlThreads(pid: number, procDir = '/proc'): Thread[] {
  const tasks = join(procDir, String(pid), 'task');
  const names = attempt(() => readdirSync(tasks)) ?? [];
  const threads = names.flatMap((tid) => {
    const name = attempt(() => readFileSync(join(tasks, tid, 'comm'), 'latin1'))?.trim() ?? '';
    if (!CONTROL_THREADS.includes(name)) return [];
    const place = attempt(() => readFileSync(join(tasks, tid, 'syscall'), 'latin1')) ?? '';
    return [{ tid: Number(tid), name, call: parseCall(place) }];
  });
  return threads.sort((a, b) => CONTROL_THREADS.indexOf(a.name) - CONTROL_THREADS.indexOf(b.name));
}

/** The number in a /proc/PID/task/TID/syscall, which is "running" for a thread that runs, and -1 outside of calls. */
export function parseCall(text: string): number | undefined {
  const number = /^(\d+) /.exec(text)?.[1];
  return number === undefined ? undefined : Number(number);
}
