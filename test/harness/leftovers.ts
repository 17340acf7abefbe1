/** Finds, and removes, what a live test left on the host: EAL files, namespaces, shared memory, processes. */
import { readFileSync, rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import {
  DPDK_RUNTIME_DIR,
  HUGEPAGE_DIR,
  listDirectory,
  OWNER_VARIABLE,
  ownedPrefix,
  removeEalFiles,
  removeInterface,
  removeNamespace,
} from './owned.js';

/** One line for each thing that process `owner` (default: this one) created and did not remove. */
export function leftovers(owner: number = process.pid): string[] {
  return [
    ...named(HUGEPAGE_DIR, owner).map((name) => `hugepage file ${HUGEPAGE_DIR}/${name}`),
    ...named(DPDK_RUNTIME_DIR, owner).map((name) => `runtime directory ${DPDK_RUNTIME_DIR}/${name}`),
    ...named('/dev/shm', owner).map((name) => `shared memory /dev/shm/${name}`),
    ...named('/run/netns', owner).map((name) => `network namespace ${name}`),
    ...interfacesOf(owner).map((name) => `network interface ${name}`),
    ...processesOf(owner).map(({ pid, command }) => `process ${pid}: ${command}`),
  ];
}

/**
 * {@link leftovers} that are still there after `graceMs`: what was killed a moment ago needs another to be gone.
 * Returns as soon as nothing is left.
 */
export async function lastingLeftovers(owner: number = process.pid, graceMs = 5000): Promise<string[]> {
  const deadline = Date.now() + graceMs;
  for (;;) {
    const left = leftovers(owner);
    if (left.length === 0 || Date.now() > deadline) return left;
    await delay(20);
  }
}

/** Removes everything {@link leftovers} would list. */
export function clearLeftovers(owner: number): void {
  for (const { pid } of processesOf(owner)) killQuietly(pid);
  for (const name of interfacesOf(owner)) removeInterface(name);
  for (const name of named('/run/netns', owner)) removeNamespace(name);
  for (const name of named('/dev/shm', owner)) rmSync(`/dev/shm/${name}`, { recursive: true, force: true });
  const prefixes = [
    ...named(DPDK_RUNTIME_DIR, owner),
    ...named(HUGEPAGE_DIR, owner).map((name) => name.replace(/map_\d+$/, '')),
  ];
  for (const prefix of new Set(prefixes)) removeEalFiles(prefix);
}

function named(directory: string, owner: number): string[] {
  return listDirectory(directory).filter((name) => name.startsWith(ownedPrefix(owner)));
}

function interfacesOf(owner: number): string[] {
  return listDirectory('/sys/class/net').filter((name) => name.startsWith(`dt${owner.toString(36)}x`));
}

/** Descendants are recognised by a variable they inherited, so a daemon that left its parents is found as well. */
function processesOf(owner: number): { pid: number; command: string }[] {
  const mark = `${OWNER_VARIABLE}=${owner}`;
  return listDirectory('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid && Number(name) !== owner)
    .filter((name) => readProc(name, 'environ').split('\0').includes(mark) && !isZombie(name))
    .map((name) => ({ pid: Number(name), command: readProc(name, 'cmdline').replaceAll('\0', ' ').trim() }));
}

/** A process may vanish between listing and reading; then it is not left over. */
function readProc(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

function isZombie(pid: string): boolean {
  return /^\d+ \(.*\) Z/s.test(readProc(pid, 'stat'));
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // ESRCH: it ended by itself in the meantime.
  }
}
