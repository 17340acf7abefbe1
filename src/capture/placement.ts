/** Where the engine's threads run: beside the primary's polling threads, not on top of them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What is known of the CPUs. */
export interface Placement {
  /** For our threads; empty when there is no choice, or the primary cannot be seen: then the kernel decides. */
  cpus: number[];
  /** How many CPUs the primary polls on; 0 when it does not, or cannot be seen. */
  polling: number;
}

/**
 * The CPUs this process may use, without those that a thread of the primary is bound to and running on at this moment.
 * On such a CPU every packet we handle is one that the primary does not.
 */
export function besidePrimary(primaryPid: number | undefined, procDir = '/proc'): Placement {
  if (primaryPid === undefined) return { cpus: [], polling: 0 };
  try {
    const taken = new Set(pollingCpus(join(procDir, String(primaryPid), 'task')));
    const free = allowedCpus(join(procDir, 'self')).filter((cpu) => !taken.has(cpu));
    return { cpus: taken.size === 0 ? [] : free, polling: taken.size };
  } catch {
    return { cpus: [], polling: 0 }; // the primary ended; the capture will say so
  }
}

/** A polling thread is bound to one CPU, and always runs. */
function pollingCpus(taskDir: string): number[] {
  return readdirSync(taskDir).flatMap((id) => {
    const cpus = allowedCpus(join(taskDir, id));
    return cpus.length === 1 && isRunning(join(taskDir, id)) ? cpus : [];
  });
}

function isRunning(dir: string): boolean {
  return /^State:\s*R/m.test(readFileSync(join(dir, 'status'), 'latin1'));
}

function allowedCpus(dir: string): number[] {
  return parseCpuList(/^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync(join(dir, 'status'), 'latin1'))?.[1] ?? '');
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
