/**
 * Whether a process still runs that has written down who it is, perhaps in another PID namespace (a container), where its
 * pid means another process than here. The addon's twin of this is native/base/process_id.cc.
 */
import { readdirSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '../errors.js';
import { isRunning, isRunningLow, readProcess } from './process.js';

/** Which process it was. */
export interface ProcessIdentity {
  /** In its own PID namespace. */
  pid: number;
  startTicks: number;
  /** Inode of /proc/self/ns/pid. */
  pidNamespace: number;
}

/** unknown: it may run where it cannot be seen from here, so nothing of it may be touched. */
export type Life = 'running' | 'gone' | 'unknown';

/** The kernel gives the first PID namespace this inode (PROC_PID_INIT_INO, since 3.8). All processes are seen from it. */
const INITIAL_PID_NAMESPACE = 0xeffffffc;

/** What to write down of this process. @throws Error where /proc does not say */
export function ownIdentity(procDir = '/proc'): ProcessIdentity {
  const startTicks = readProcess(Number(readlinkSync(join(procDir, 'self'))), procDir)?.startTicks;
  if (startTicks === undefined) throw new Error(`${procDir} does not say when this process was started`);
  return { pid: process.pid, startTicks, pidNamespace: namespaceOf('self', 'pid', procDir) };
}

/** Whether this process runs. Reads all of /proc for one of another PID namespace. */
export function lifeOf(identity: ProcessIdentity, procDir = '/proc'): Life {
  try {
    if (readlinkSync(join(procDir, 'self')) !== String(process.pid)) return 'unknown'; // another namespace's /proc
    if (identity.pidNamespace !== namespaceOf('self', 'pid', procDir)) return lifeElsewhere(identity, procDir);
    return lifeByStart(identity.pid, identity.startTicks, procDir);
  } catch {
    return 'unknown'; // this user may not look
  }
}

/** Whether any process that is seen from here, in whatever PID namespace, has this pid and started then (low 32 bits). */
export function runsAnywhere(pid: number, lowTicks: number, procDir = '/proc'): boolean {
  const isIt = (other: number): boolean =>
    readProcess(other, procDir)?.namespacePids.includes(pid) === true && isRunningLow(other, lowTicks, procDir);
  return isRunningLow(pid, lowTicks, procDir) || processes(procDir).some(isIt);
}

/** A PID namespace is seen from here with all of its processes (ours, and those below it) or with none. */
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
 * Of a process with the right pid. /proc shows start times by the clock of the reader's time namespace: what a process of
 * another one has written down of itself cannot be compared.
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

/** Undefined on Linux before 5.6, where there is one for all. */
function timeNamespace(pid: number | 'self', procDir: string): number | undefined {
  try {
    return namespaceOf(pid, 'time', procDir);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
