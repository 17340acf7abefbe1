/** Which CPUs are near others, as the kernel tells in /sys/devices/system/cpu. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What CPUs may have in common, the nearest first: the last level of the cache, a socket. */
const SHARED = ['cache/index3/shared_cpu_list', 'topology/core_siblings_list'];

/**
 * Of the CPUs in `free`, those that are best for threads that take packets from the CPUs in `polling`.
 * Not their second hardware threads: what runs there takes from a polling one what it has. And those that share a cache
 * with one of them: there a packet comes at twice the speed. Where these are not `enough`, those of the same socket;
 * what the kernel does not tell makes no difference.
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

/** Empty when the kernel does not tell, as for a cache that a CPU does not have. */
function cpuList(cpuDir: string, cpu: number, list: string): number[] {
  try {
    return parseCpuList(readFileSync(join(cpuDir, `cpu${cpu}`, list), 'latin1').trim());
  } catch {
    return [];
  }
}

/** "0-2,5" as the kernel writes it. */
export function parseCpuList(text: string): number[] {
  return text.split(',').flatMap((range) => {
    if (range === '') return [];
    const [first, last = first] = range.split('-').map(Number);
    if (first === undefined || last === undefined || !Number.isInteger(first) || !Number.isInteger(last)) return [];
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

/** What is known of the CPUs. */
export interface Placement {
  /** For our threads; empty when there is no choice, or the primary cannot be seen: then the kernel decides. */
  cpus: number[];
  /** How many CPUs the primary polls on, now or whenever it likes; 0 when it does not, or cannot be seen. */
  polling: number;
}
