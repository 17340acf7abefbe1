/**
 * Finds primaries whose files are where dpcap's own environment does not lead: systemd's RuntimeDirectory= puts them
 * into $RUNTIME_DIRECTORY/dpdk, a user session into $XDG_RUNTIME_DIR/dpdk, and a container into another mount
 * namespace. They are found by the processes that hold them: a primary keeps a lock on its `config` while it lives.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseMaps } from '../system/maps.js';

/** A process that holds the lock on the `config` of a runtime directory. */
export interface ConfigHolder {
  pid: number;
  /** Path of the directory as the process names it. */
  runtimeDir: string;
  /** Path of the same directory as seen from here: the same path, or one under /proc/PID/root. */
  seenAt: string;
  /** Whether the path leads to another directory here: the process's one is in another mount namespace. */
  isHidden: boolean;
  /** The variable that put it there, such as "RUNTIME_DIRECTORY=/run/app"; undefined when it cannot be told. */
  variable: string | undefined;
}

/**
 * Pid and inode in a line such as `17: POSIX  ADVISORY  WRITE 4711 00:1b:228284 0 EOF`. The kernel does not show locks
 * of invisible processes.
 */
const WRITE_LOCK = /^\d+: POSIX +\w+ +WRITE (\d+) [0-9a-f]+:[0-9a-f]+:(\d+) /;

/** Names of DPDK's own threads, before 23.11 and from 23.11 on. */
const DPDK_THREAD = /^(rte_mp_handle|eal-intr-thread|dpdk-mp-msg|dpdk-intr)$/;

/** Finds processes with write locks and the inodes of the locked files; empty where the kernel does not tell. */
export function lockOwners(procDir: string): Map<number, Set<number>> {
  const owners = new Map<number, Set<number>>();
  for (const line of readText(join(procDir, 'locks')).split('\n')) {
    const [pid, inode] = (WRITE_LOCK.exec(line) ?? []).slice(1).map(Number);
    if (pid === undefined || inode === undefined) continue;
    owners.set(pid, (owners.get(pid) ?? new Set()).add(inode));
  }
  return owners;
}

/**
 * Finds the processes that hold runtime directories.
 * @param known pids that need no second look
 */
export function configHolders(procDir: string, known: ReadonlySet<number>): ConfigHolder[] {
  return [...lockOwners(procDir)].flatMap(([pid, inodes]) => {
    if (known.has(pid)) return [];
    const config = parseMaps(readText(join(procDir, String(pid), 'maps'))).find(
      ({ path, inode }) => inodes.has(inode) && /\/dpdk\/[^/]+\/config$/.test(path),
    );
    return config ? [describeHolder(pid, dirname(config.path), procDir)] : [];
  });
}

/**
 * Finds processes that look like primaries, but belong to another user, so that dpcap may not look into them.
 * @returns pids
 */
export function closedPrimaries(procDir: string, known: ReadonlySet<number>): number[] {
  return [...lockOwners(procDir).keys()].filter((pid) => {
    if (known.has(pid) || isReadable(join(procDir, String(pid), 'maps'))) return false;
    return threadNames(pid, procDir).some((name) => DPDK_THREAD.test(name));
  });
}

function describeHolder(pid: number, runtimeDir: string, procDir: string): ConfigHolder {
  const within = join(procDir, String(pid), 'root', runtimeDir);
  const [theirs, ours] = [identity(join(within, 'config')), identity(join(runtimeDir, 'config'))];
  const isHidden = theirs !== undefined && theirs !== ours;
  const root = dirname(runtimeDir);
  return {
    pid,
    runtimeDir,
    seenAt: isHidden ? within : runtimeDir,
    isHidden,
    variable: variableOf(pid, root, procDir),
  };
}

/** DPDK looks at these variables, in this order (eal_create_runtime_dir). */
function variableOf(pid: number, root: string, procDir: string): string | undefined {
  const words = readText(join(procDir, String(pid), 'environ')).split('\0');
  for (const name of ['RUNTIME_DIRECTORY', 'XDG_RUNTIME_DIR']) {
    const value = words.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1);
    // The kernel's path has no symbolic links: what DPDK made under /var/run is shown under /run.
    if (value && [value, `/run${value.slice('/var/run'.length)}`].includes(dirname(root))) return `${name}=${value}`;
  }
  return undefined;
}

function identity(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path);
    return `${dev}:${ino}`;
  } catch {
    return undefined; // the file is absent, or this user may not see it
  }
}

function threadNames(pid: number, procDir: string): string[] {
  const tasks = join(procDir, String(pid), 'task');
  try {
    return readdirSync(tasks).map((tid) => readText(join(tasks, tid, 'comm')).trim());
  } catch {
    return [];
  }
}

function isReadable(path: string): boolean {
  try {
    readFileSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Processes may end at any time or belong to another user: a file that cannot be read counts as empty. */
function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
