/**
 * Finds the processes that share a primary's memory and would not answer it now. A request for memory makes the primary
 * ask all of them and wait up to 5 s for each; a request that is half done by then has crashed the primary
 * (rollback_expand_heap, malloc_mp.c, all releases to 26.07). So these processes are checked before any request.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DpcapError } from '../errors.js';
import { readProcess } from '../system/process.js';
import { findSecondaries } from './secondaries.js';

/** A process that will not answer. */
export interface SilentProcess {
  pid: number;
  program: string;
  role: 'primary' | 'secondary';
  /**
   * stopped: a signal or a debugger has stopped it. deaf: the thread that answers does something else. joining: it is
   * in rte_eal_init() and ignores every question. A primary that asks for memory then counts its answer twice, takes
   * the next request too early, and is deaf for 5 s (process_async_request, eal_common_proc.c; seen on 22.11.11).
   */
  why: 'stopped' | 'deaf' | 'joining';
}

/** The processes to look at. */
export interface Sharers {
  runtimeDir: string;
  primaryPid?: number | undefined;
}

/** Names of EAL's thread that answers: up to 23.07, and from 23.11 on. */
const ANSWERING_THREAD = /^(rte_mp_handle|dpdk-mp-msg)$/;
/** Number of the system call recvmsg(2), in which that thread waits for questions. */
const RECVMSG: Partial<Record<string, string>> = { x64: '47', arm64: '212' };
const LOOK_MS = 10;
/**
 * A secondary whose socket is at least this old has joined: joining takes 0.1 to 0.3 s. dpcap's own engines join one at
 * a time anyway.
 */
const JOINED_MS = 1000;

/** How long to wait for processes that do not answer now. */
export interface Patience {
  /** For a process whose answering thread does something else. */
  deafMs?: number;
  /** For a process that is stopped. */
  stoppedMs?: number;
}

/**
 * Returns the processes that are stopped, or whose answering thread has not been seen waiting for questions in time. It
 * waits for processes that are joining. A process that cannot be looked at from here (its PID namespace is not below
 * this one, or it belongs to another user) is left out.
 */
export async function silentProcesses(
  sharers: Sharers,
  { deafMs = 1000, stoppedMs = 0 }: Patience = {},
  procDir = '/proc',
): Promise<SilentProcess[]> {
  const start = performance.now();
  const patience = { deaf: deafMs, stopped: stoppedMs, joining: Number.POSITIVE_INFINITY };
  let silent = lookAt(sharers, procDir);
  while (silent.length > 0 && silent.every((one) => performance.now() - start < patience[one.why])) {
    await sleep(LOOK_MS);
    silent = lookAt(sharers, procDir);
  }
  return silent.filter(({ why }) => why !== 'joining');
}

/** SCHED_IDLE in field 41 of /proc/PID/task/TID/stat: such a thread gets the CPU only when no other wants it. */
const SCHED_IDLE = '5';

/** Whether the primary's answering thread may wait longer for a CPU than other processes wait for its answer. */
export function mayStarve({ primaryPid }: Sharers, procDir = '/proc'): boolean {
  const task = primaryPid && answeringThread(join(procDir, String(primaryPid), 'task'));
  const stat = task ? read(join(task, 'stat')) : undefined;
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[38] === SCHED_IDLE;
}

/** Like {@link silentProcesses}, but returns at once, and only the processes that are stopped. */
export function stoppedProcesses(sharers: Sharers, procDir = '/proc'): SilentProcess[] {
  return lookAt(sharers, procDir).filter(({ why }) => why === 'stopped');
}

/**
 * The error to give instead of asking the primary for memory.
 * @returns undefined when all will answer
 */
export function silenceError([first, ...others]: readonly SilentProcess[]): DpcapError | undefined {
  if (!first) return undefined;
  const state = first.why === 'stopped' ? 'is stopped' : 'does not answer';
  const more = others.length > 0 ? `, and ${others.length} more` : '';
  const subject = `${first.program}, pid ${first.pid}`;
  if (first.role === 'primary') {
    return new DpcapError('ERR_PRIMARY_STOPPED', `the primary (${subject}) ${state}${more}; nothing was asked of it`, {
      subject,
      hint: `let it go on (kill -CONT ${first.pid}, or leave the debugger), then start again`,
    });
  }
  const message = `another process of this primary (${subject}) ${state}${more}; nothing was asked of the primary`;
  return new DpcapError('ERR_SECONDARY_STOPPED', message, {
    subject,
    hint:
      'the primary would wait 5 s for it with each request for memory, and may crash: ' +
      `let it go on (kill -CONT ${first.pid}), or end it, then start again`,
  });
}

function lookAt({ runtimeDir, primaryPid }: Sharers, procDir: string): SilentProcess[] {
  const secondaries = findSecondaries(runtimeDir, procDir);
  const others = secondaries.filter(({ pid }) => pid !== process.pid && pid !== primaryPid);
  return [
    ...(primaryPid === undefined ? [] : describe(primaryPid, 'primary', procDir)),
    ...others.flatMap((one) => describe(one.pid, 'secondary', procDir, !one.ours && isJoining(one.joinedMs))),
  ];
}

/** Whether a process may still be joining; false when the clock was set back meanwhile. */
function isJoining(sinceMs: number): boolean {
  const age = Date.now() - sinceMs;
  return age >= 0 && age < JOINED_MS;
}

function describe(pid: number, role: SilentProcess['role'], procDir: string, isJoining = false): SilentProcess[] {
  const why = silence(join(procDir, String(pid))) ?? (isJoining ? 'joining' : undefined);
  if (!why) return [];
  return [{ pid, role, why, program: readProcess(pid, procDir)?.program ?? 'a process' }];
}

function silence(dir: string): SilentProcess['why'] | undefined {
  if (isStopped(read(join(dir, 'stat')))) return 'stopped';
  const task = answeringThread(join(dir, 'task'));
  if (task === undefined) return undefined;
  const stat = read(join(task, 'stat'));
  if (isStopped(stat)) return 'stopped';
  const call = read(join(task, 'syscall'))?.split(' ')[0];
  const waiting = RECVMSG[process.arch];
  return call === undefined || waiting === undefined || call === waiting ? undefined : 'deaf';
}

/** State T: stopped by a signal; t: stopped by a debugger. */
function isStopped(stat: string | undefined): boolean {
  return stat !== undefined && /^\) [Tt] /.test(stat.slice(stat.lastIndexOf(')')));
}

function answeringThread(taskDir: string): string | undefined {
  try {
    return readdirSync(taskDir)
      .map((id) => join(taskDir, id))
      .find((task) => ANSWERING_THREAD.test(read(join(task, 'comm'))?.trim() ?? ''));
  } catch {
    return undefined; // the process has ended, or belongs to another user
  }
}

/** Returns undefined when the process has ended meanwhile, or when the file may not be read. */
function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}
