/**
 * Tells whether a process that has written down its identity still runs. It may be in another PID namespace (a
 * container), where its pid means another process than here. The addon's counterpart is native/base/process_id.cc.
 */
import { readdirSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '../errors.js';
import { isRunning, isRunningLow, readProcess } from './process.js';

/** The identity of a process. */
export interface ProcessIdentity {
  /** The pid in the process's own PID namespace. */
  pid: number;
  startTicks: number;
  /** Inode of /proc/self/ns/pid. */
  pidNamespace: number;
}

/** unknown: the process may run where it cannot be seen from here, so nothing of it may be touched. */
export type Life = 'running' | 'gone' | 'unknown';

/** The kernel gives the first PID namespace this inode (PROC_PID_INIT_INO, since 3.8). It sees all processes. */
const INITIAL_PID_NAMESPACE = 0xeffffffc;

/** The identity of this process, to be written down. @throws Error where /proc does not say it */
export function ownIdentity(procDir = '/proc'): ProcessIdentity {
  const startTicks = readProcess(Number(readlinkSync(join(procDir, 'self'))), procDir)?.startTicks;
  if (startTicks === undefined) throw new Error(`${procDir} does not say when this process was started`);
  return { pid: process.pid, startTicks, pidNamespace: namespaceOf('self', 'pid', procDir) };
}

/** Whether the process runs. For a process of another PID namespace, all of /proc is read. */
export function lifeOf(identity: ProcessIdentity, procDir = '/proc'): Life {
  try {
    if (readlinkSync(join(procDir, 'self')) !== String(process.pid)) return 'unknown'; // another namespace's /proc
    if (identity.pidNamespace !== namespaceOf('self', 'pid', procDir)) return lifeElsewhere(identity, procDir);
    return lifeByStart(identity.pid, identity.startTicks, procDir);
  } catch {
    return 'unknown'; // this user may not look
  }
}

/** Whether any process that is seen from here, in any PID namespace, has this pid and start time (low 32 bits). */
export function runsAnywhere(pid: number, lowTicks: number, procDir = '/proc'): boolean {
  const isIt = (other: number): boolean =>
    readProcess(other, procDir)?.namespacePids.includes(pid) === true && isRunningLow(other, lowTicks, procDir);
  return isRunningLow(pid, lowTicks, procDir) || processes(procDir).some(isIt);
}

/** Of a PID namespace, all processes are seen from here (in this process's own and those below it) or none. */
function lifeElsewhere({ pid, startTicks, pidNamespace }: ProcessIdentity, procDir: string): Life {
  let isSeen = false;
  for (const other of processes(procDir)) {
    const pids = readProcess(other, procDir)?.namespacePids ?? [];
    if (pids.length < 2 || namespaceUnlessEnded(other, procDir) !== pidNamespace) continue;
    isSeen = true;
    const life = pids.at(-1) === pid ? lifeByStart(other, startTicks, procDir) : 'gone';
    if (life !== 'gone') return life;
  }
  return isSeen || namespaceOf('self', 'pid', procDir) === INITIAL_PID_NAMESPACE ? 'gone' : 'unknown';
}

/**
 * Judges a process with the right pid by its start time. /proc shows start times by the clock of the reader's time
 * namespace: a start time that a process of another one has written down cannot be compared.
 */
function lifeByStart(pid: number, startTicks: number, procDir: string): Life {
  if (isRunning(pid, startTicks, procDir)) return 'running';
  if (readProcess(pid, procDir) === undefined) return 'gone';
  return timeNamespace(pid, procDir) === timeNamespace('self', procDir) ? 'gone' : 'unknown';
}

function processes(procDir: string): number[] {
  return readdirSync(procDir)
    .filter((name) => /^[1-9]\d*$/.test(name))
    .map(Number);
}

function namespaceOf(pid: number | 'self', kind: string, procDir: string): number {
  return statSync(join(procDir, String(pid), 'ns', kind)).ino;
}

function namespaceUnlessEnded(pid: number, procDir: string): number | undefined {
  try {
    return namespaceOf(pid, 'pid', procDir);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ESRCH') return undefined;
    throw error;
  }
}

/** The time namespace of a process; undefined on Linux before 5.6, where there is one for all. */
function timeNamespace(pid: number | 'self', procDir: string): number | undefined {
  try {
    return namespaceOf(pid, 'time', procDir);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
