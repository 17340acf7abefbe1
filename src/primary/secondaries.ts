/** Finds the processes that have joined a primary, by the sockets that they leave in its runtime directory. */
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { namespacePidsOf, type ProcessInfo, readProcess } from '../system/process.js';
import { isCaptureToolName } from './memory/ring-block.js';

/** One secondary that is alive. */
export interface Secondary {
  pid: number;
  program: string | undefined;
  /** Whether it captures packets: it is a capture tool by its name, or one of dpcap's own engines. */
  captures: boolean;
  /** Whether it is one of dpcap's own engines. */
  ours: boolean;
  /** Whether it has DPDK's libraries without that of pdump: then it cannot have called rte_pdump_init(). */
  lacksPdump: boolean;
  /** The socket where it takes questions. */
  socket: string;
  /** When its socket was made, by the machine's clock: this is soon after it began to join. */
  joinedMs: number;
}

/** How messages name one. */
export function nameOfSecondary({ program, pid }: Pick<Secondary, 'pid' | 'program'>): string {
  return `${program ?? 'a process'} (pid ${pid})`;
}

/**
 * Finds the living owners of the sockets `mp_socket_<pid>_<tsc>`; a killed secondary leaves its socket behind. The pid
 * in the name is from the owner's own PID namespace: an owner in a container has another pid here, or none.
 */
export function findSecondaries(runtimeDir: string, procDir = '/proc'): Secondary[] {
  const ownerOf = ownersOf(runtimeDir, procDir);
  const owners = new Map<number, Secondary>();
  for (const { pid, name } of sockets(runtimeDir)) {
    const joinedMs = statSync(join(runtimeDir, name), { throwIfNoEntry: false })?.ctimeMs ?? 0;
    for (const owner of ownerOf(pid).map((one) => readProcess(one, procDir))) {
      if (owner) owners.set(owner.pid, describeSecondary(owner, join(runtimeDir, name), joinedMs, procDir));
    }
  }
  return [...owners.values()];
}

/** Finds the processes that have this pid in their own PID namespace and share the primary's memory; their pids here. */
function ownersOf(runtimeDir: string, procDir: string): (pid: number) => number[] {
  const isSharer = sharersOf(runtimeDir, procDir);
  const nested = lazily(() => processesOfOtherNamespaces(procDir));
  return (pid) => {
    const isSharerHere = namespacePidsOf(pid, procDir).at(-1) === pid ? isSharer(pid) : false;
    if (isSharerHere) return [pid];
    const elsewhere = nested().filter(({ inner, outer }) => inner === pid && isSharer(outer) === true);
    if (elsewhere.length > 0) return elsewhere.map(({ outer }) => outer);
    return isSharerHere === undefined ? [pid] : [];
  };
}

/**
 * Tells whether a process has mapped the primary's configuration, which every secondary does before it makes its
 * socket. The result is undefined where this cannot be seen.
 */
function sharersOf(runtimeDir: string, procDir: string): (pid: number) => boolean | undefined {
  const inode = statSync(join(runtimeDir, 'config'), { throwIfNoEntry: false })?.ino;
  return (pid) => {
    if (inode === undefined) return undefined; // the file was removed
    try {
      const maps = readFileSync(join(procDir, String(pid), 'maps'), 'latin1');
      return maps.split('\n').some((line) => line.split(/\s+/)[4] === String(inode));
    } catch {
      return undefined; // the process belongs to another user
    }
  };
}

/** Lists the processes of PID namespaces below this one: the pid here, and the one in their own namespace. */
function processesOfOtherNamespaces(procDir: string): { outer: number; inner: number | undefined }[] {
  const pids = readdirSync(procDir)
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  return pids.flatMap((outer) => {
    const all = namespacePidsOf(outer, procDir);
    return all.length > 1 ? [{ outer, inner: all.at(-1) }] : [];
  });
}

function lazily<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

function sockets(runtimeDir: string): { name: string; pid: number }[] {
  try {
    return readdirSync(runtimeDir).flatMap((name) => {
      const pid = /^mp_socket_(\d{1,10})_[0-9a-f]+$/.exec(name)?.[1];
      return pid === undefined ? [] : [{ name, pid: Number(pid) }];
    });
  } catch {
    return [];
  }
}

/**
 * Removes the sockets of an engine that ends without EAL's clean-up. The primary removes a dead socket when it meets
 * one, but a hot-plug that is in progress at that moment fails with ENOENT and is rolled back (seen on DPDK 22.11.11).
 * @param pid pid of the engine, which must have ended or be the caller
 */
export function removeSockets(runtimeDir: string, pid: number): void {
  for (const socket of sockets(runtimeDir)) {
    if (socket.pid === pid) rmSync(join(runtimeDir, socket.name), { force: true });
  }
}

function describeSecondary(process: ProcessInfo, socket: string, joinedMs: number, procDir: string): Secondary {
  const { pid, program } = process;
  const maps = mapsOf(pid, procDir);
  // An engine of dpcap is a Node process; the addon in its memory distinguishes it from others.
  const ours = maps.includes('/dpcap_pdump.');
  const lacksPdump = maps.includes('/librte_eal.so.') && !maps.includes('/librte_pdump.so.');
  return { pid, program, captures: ours || isTool(process), ours, lacksPdump, socket, joinedMs };
}

function isTool(process: ProcessInfo): boolean {
  return /dumpcap|pdump/.test(process.program ?? '');
}

/** Empty when the process has ended, or belongs to another user. */
function mapsOf(pid: number, procDir: string): string {
  try {
    return readFileSync(join(procDir, String(pid), 'maps'), 'latin1');
  } catch {
    return '';
  }
}

/** The memzones of pools and rings that belong to other capture tools, alive or killed. */
export function captureToolZones(memzones: readonly string[]): string[] {
  return memzones.filter((zone) => {
    const name = zone.replace(/^(RG_MP_|MP_|RG_)/, '');
    // The chunks of a pool carry its name and a number.
    return name !== zone && (isCaptureToolName(name) || isCaptureToolName(name.replace(/_\d+$/, '')));
  });
}
