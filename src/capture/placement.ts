/** Where the engine's threads run: beside the primary's polling threads, not on top of them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { nearbyCpus, parseCpuList } from './cpu-topology.js';
import { cpusFor } from './threads.js';

/** What is known of the CPUs. */
export interface Placement {
  /** For our threads; empty when there is no choice, or the primary cannot be seen: then the kernel decides. */
  cpus: number[];
  /** How many CPUs the primary polls on; 0 when it does not, or cannot be seen. */
  polling: number;
}

/**
 * Of the CPUs this process may use, those that are best beside the ones that a thread of the primary is bound to and
 * running on at this moment. On such a CPU every packet we handle is one that the primary does not. `threads`: how many
 * take packets, where that is known before.
 */
export function besidePrimary(
  primaryPid: number | undefined,
  { threads, procDir = '/proc', cpuDir }: { threads?: number | undefined; procDir?: string; cpuDir?: string } = {},
): Placement {
  if (primaryPid === undefined) return { cpus: [], polling: 0 };
  try {
    const polling = [...new Set(pollingCpus(join(procDir, String(primaryPid), 'task')))];
    const free = allowedCpus(join(procDir, 'self')).filter((cpu) => !polling.includes(cpu));
    const near = nearbyCpus(free, polling, cpusFor(polling.length, threads), cpuDir);
    return { cpus: polling.length === 0 ? [] : near, polling: polling.length };
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
