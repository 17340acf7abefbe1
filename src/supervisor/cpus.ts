/** Chooses the CPUs for the engine's threads, and how many drain threads there may be: beside the primary's polling threads, not on the same CPUs. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CaptureRequest } from '../protocol/request.js';
import { nearbyCpus, type Placement, parseCpuList } from './cpu-topology.js';

/** Threads that EAL makes for lcores, as releases from 21.11 to 26.07 name them. */
const LCORE_NAME = /^(lcore-worker|rte-worker|dpdk-worker|lcore-slave)/;
/** A share of a CPU, over a thread's life. A thread that is bound to one CPU and uses this much has it for itself. */
const BUSY_SHARE = 0.2;
/** The most looks at a primary whose threads seem to poll on every CPU. */
const LOOKS = 5;
const TICKS_PER_SECOND = 100; // USER_HZ of all Linux architectures

/** The most drain threads without `--threads`: more of them, all busy, would wait for the merge thread. */
const MOST_BY_ITSELF = 3;
/** CPUs for the merge thread and the writer thread. */
const CPUS_FOR_OTHERS = 2;

type Threaded = Pick<CaptureRequest, 'threads' | 'packetLimit' | 'byteLimit'> &
  Partial<Pick<CaptureRequest, 'rotation'>>;

/**
 * The most drain threads that a capture into a file may have; it has no more than there are queues. One takes more than
 * a core of the primary can copy, and a limit is counted by a single thread.
 */
export function mostThreads(
  { cpus, polling }: Placement,
  { threads, packetLimit, byteLimit, rotation }: Threaded,
): number {
  if (packetLimit > 0 || byteLimit > 0 || rotation?.mostFiles) return 1;
  return threads ?? Math.max(1, Math.min(MOST_BY_ITSELF, polling, cpus.length - CPUS_FOR_OTHERS));
}

/**
 * Chooses from the CPUs that this process may use the best ones beside the primary's lcores. On the CPU of an lcore,
 * every packet that dpcap handles is one that the primary does not. An lcore that sleeps now may poll in the next
 * moment: its CPU is taken only when there is no other. `threads` is the number of drain threads, where it is known
 * beforehand.
 */
export function besidePrimary(
  primaryPid: number | undefined,
  { threads, procDir = '/proc', cpuDir, pause = shortPause }: PlacementOptions = {},
): Placement {
  if (primaryPid === undefined) return { cpus: [], polling: 0 };
  try {
    let { taken, free } = look(primaryPid, procDir);
    // One that runs each time polls; another one just had something to do.
    for (let looks = 1; free.length === 0 && looks < LOOKS; looks++) {
      pause();
      ({ taken, free } = look(primaryPid, procDir));
    }
    const near = nearbyCpus(
      free,
      [...taken],
      (threads ?? Math.min(MOST_BY_ITSELF, taken.size)) + CPUS_FOR_OTHERS,
      cpuDir,
    );
    return { cpus: taken.size === 0 ? [] : near, polling: taken.size };
  } catch {
    return { cpus: [], polling: 0 }; // the primary ended; the capture will say so
  }
}

interface PlacementOptions {
  threads?: number | undefined;
  /** Replaced only by tests, as are the following. */
  procDir?: string;
  cpuDir?: string;
  pause?: () => void;
}

/** The CPUs of a primary's lcores at this moment, and those that are free for others. */
function look(primaryPid: number, procDir: string): { taken: Set<number>; free: number[] } {
  const lcores = lcoresOf(primaryPid, procDir);
  const taken = new Set(lcores.map(({ cpu }) => cpu));
  const running = new Set(lcores.filter(({ isRunning }) => isRunning).map(({ cpu }) => cpu));
  const allowed = allowedCpus(statusOf(join(procDir, 'self')));
  const apart = allowed.filter((cpu) => !taken.has(cpu));
  return { taken, free: apart.length > 0 ? apart : allowed.filter((cpu) => !running.has(cpu)) };
}

/** As long as a thread that answers a request may run, or wait for its CPU. */
function shortPause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
}

/** A thread that has a CPU for itself, or is meant to have it. */
interface Lcore {
  cpu: number;
  isRunning: boolean;
}

/** Threads that are bound to one CPU, and that run now, have run for much of their lives, or are named as lcores. */
function lcoresOf(pid: number, procDir: string): Lcore[] {
  const taskDir = join(procDir, String(pid), 'task');
  const uptimeTicks = Number.parseFloat(readFileSync(join(procDir, 'uptime'), 'latin1')) * TICKS_PER_SECOND;
  return readdirSync(taskDir).flatMap((id) => {
    try {
      return lcoreOf(join(taskDir, id), Number(id) === pid, uptimeTicks) ?? [];
    } catch {
      return []; // it has ended: EAL has a thread for each question by telemetry, dpcap's own included
    }
  });
}

function lcoreOf(dir: string, isMain: boolean, uptimeTicks: number): Lcore | undefined {
  const status = statusOf(dir);
  const [cpu, ...others] = allowedCpus(status);
  if (cpu === undefined || others.length > 0) return undefined;
  const isRunning = /^State:\s*R/m.test(status);
  const isLcore = LCORE_NAME.test(/^Name:\s*(.*)$/m.exec(status)?.[1] ?? '');
  // Setting EAL up makes every main thread look busy for a while.
  const isBusy = !isMain && busyShare(dir, uptimeTicks) >= BUSY_SHARE;
  return isRunning || isLcore || isBusy ? { cpu, isRunning } : undefined;
}

/** The share of the time since its start that a thread has spent on a CPU. */
function busyShare(dir: string, uptimeTicks: number): number {
  const fields = readFileSync(join(dir, 'stat'), 'latin1')
    .replace(/^.*\) /s, '')
    .split(' ')
    .map(Number);
  const [user = 0, system = 0, started = 0] = [fields[11], fields[12], fields[19]];
  return (user + system) / Math.max(1, uptimeTicks - started);
}

function statusOf(dir: string): string {
  return readFileSync(join(dir, 'status'), 'latin1');
}

function allowedCpus(status: string): number[] {
  return parseCpuList(/^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1] ?? '');
}
