/** Names for what a live test creates on the host: they carry the test's pid, so that anyone can tell whose it is. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';

/** Environment variable that every process started by a live test inherits; its value is the test's pid. */
export const OWNER_VARIABLE = 'DPCAP_TEST_OWNER';
/** Where EAL keeps a primary's sockets and `config`, when run by root. */
export const DPDK_RUNTIME_DIR = '/var/run/dpdk';
/** Where the set-up script mounts hugetlbfs. */
export const HUGEPAGE_DIR = '/dev/hugepages';

const PREFIX = 'dpcap-test';
let counter = 0;

/** A name nobody else has: `dpcap-test-PID-N`. Fit for file prefixes and namespaces. */
export function uniqueName(): string {
  return `${ownedPrefix(process.pid)}${counter++}`;
}

/** Start of all names made by {@link uniqueName} in process `pid`. */
export function ownedPrefix(pid: number): string {
  return `${PREFIX}-${pid}-`;
}

/** A network interface name nobody else has; the kernel allows 15 characters. */
export function uniqueInterface(side: string): string {
  return `dt${process.pid.toString(36)}x${(counter++).toString(36)}${side}`;
}

/** Removes a primary's hugepage files and runtime directory. DPDK leaves them behind, also after an orderly quit. */
export function removeEalFiles(filePrefix: string): void {
  for (const file of listDirectory(HUGEPAGE_DIR)) {
    if (file.startsWith(`${filePrefix}map_`)) rmSync(`${HUGEPAGE_DIR}/${file}`, { force: true });
  }
  // An engine whose supervisor was killed a moment ago may still make a file there: ENOTEMPTY.
  rmSync(`${DPDK_RUNTIME_DIR}/${filePrefix}`, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
}

/** Removes a network interface, and with a veth its other end. */
export function removeInterface(name: string): void {
  if (existsSync(`/sys/class/net/${name}`)) execFileSync('ip', ['link', 'del', name]);
}

/** Removes a network namespace. Interfaces in it go later, at the kernel's leisure: remove those first. */
export function removeNamespace(name: string): void {
  if (existsSync(`/run/netns/${name}`)) execFileSync('ip', ['netns', 'del', name]);
}

/** Entries of a directory; none when it does not exist. */
export function listDirectory(path: string): string[] {
  return existsSync(path) ? readdirSync(path) : [];
}
