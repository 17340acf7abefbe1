/** Finds the CPUs that are near others, by what the kernel tells in /sys/devices/system/cpu. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What CPUs may share, the nearest first: the last level of the cache, a socket. */
const SHARED = ['cache/index3/shared_cpu_list', 'topology/core_siblings_list'];

/**
 * Chooses from the CPUs in `free` the best ones for threads that take packets from the CPUs in `polling`. Second
 * hardware threads of polling CPUs are left out: what runs there takes resources from the polling thread. CPUs that
 * share a cache with a polling CPU are preferred: a packet comes from there at twice the speed. If these are fewer than
 * `enough`, CPUs of the same socket are taken; what the kernel does not tell makes no difference.
 */
export function nearbyCpus(
  free: number[],
  polling: number[],
  enough: number,
  cpuDir = '/sys/devices/system/cpu',
): number[] {
  const sharing = (list: string): Set<number> => new Set(polling.flatMap((cpu) => cpuList(cpuDir, cpu, list)));
  const siblings = sharing('topology/thread_siblings_list');
  const apart = free.filter((cpu) => !siblings.has(cpu));
  const candidates = apart.length > 0 ? apart : free;
  for (const list of SHARED) {
    const group = sharing(list);
    const near = candidates.filter((cpu) => group.has(cpu));
    if (near.length >= enough) return near;
  }
  return candidates;
}

/** The CPUs in one list of a CPU. Empty when the kernel does not tell, as for a cache that the CPU does not have. */
function cpuList(cpuDir: string, cpu: number, list: string): number[] {
  try {
    return parseCpuList(readFileSync(join(cpuDir, `cpu${cpu}`, list), 'latin1').trim());
  } catch {
    return [];
  }
}

/** Parses a list such as "0-2,5", as the kernel writes it. */
export function parseCpuList(text: string): number[] {
  return text.split(',').flatMap((range) => {
    if (range === '') return [];
    const [first, last = first] = range.split('-').map(Number);
    if (first === undefined || last === undefined || !Number.isInteger(first) || !Number.isInteger(last)) return [];
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

/** What is known about the CPUs. */
export interface Placement {
  /** For dpcap's threads. Empty when there is no choice, or the primary cannot be seen: then the kernel decides. */
  cpus: number[];
  /** The number of CPUs the primary polls on, now or whenever it likes; 0 when it does not, or cannot be seen. */
  polling: number;
}
