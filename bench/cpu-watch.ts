/**
 * Whether anything but the benchmark used the CPUs while it measured. A process that takes a CPU meanwhile, or a host that
 * takes it away (steal), does not slow every tool down alike: dpcap's drain goes before other work, the others' do not.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Record, Settings } from './experiment.js';
import type { Sample } from './sample.js';

const TICKS_PER_SECOND = 100; // USER_HZ, of all Linux architectures
/** Of one CPU. What the kernel counts by ticks is not finer. */
const MOST_FOREIGN = 0.05;
const MOST_STOLEN = 0.02;
const KERNEL_THREADS = 2; // pid of the parent of all of them

/** CPU time that one process has used, in ticks, with that of its children that have ended. */
interface ProcessTime {
  name: string;
  parent: number;
  ticks: number;
}

/** CPU time that has been used so far, in ticks. */
export interface CpuTimes {
  atMs: number;
  /** By all processes, also those that have ended. */
  busy: number;
  stolen: number;
  /** By this process and its descendants. */
  own: number;
  /** By the kernel's threads: they work for whoever writes most, which is the benchmark. */
  kernel: number;
  /** By each of the others. */
  others: Map<number, ProcessTime>;
}

export function readCpuTimes(procDir = '/proc', self = process.pid, atMs = performance.now()): CpuTimes {
  const [, line = ''] = /^cpu +(.*)$/m.exec(readFileSync(join(procDir, 'stat'), 'latin1')) ?? [];
  const [user = 0, nice = 0, system = 0, , , , , stolen = 0] = line.split(' ').map(Number);
  const processes = new Map(
    readdirSync(procDir)
      .filter((name) => /^\d+$/.test(name))
      .flatMap((name) => {
        const one = readProcess(join(procDir, name, 'stat'));
        return one ? [[Number(name), one] as const] : [];
      }),
  );
  const times: CpuTimes = { atMs, busy: user + nice + system, stolen, own: 0, kernel: 0, others: new Map() };
  for (const [pid, one] of processes) {
    if (descendsFrom(self, pid, processes)) times.own += one.ticks;
    else if (pid === KERNEL_THREADS || one.parent === KERNEL_THREADS) times.kernel += one.ticks;
    else times.others.set(pid, one);
  }
  return times;
}

/** What disturbed a measurement between the two, for people; undefined: nothing did. */
export function disturbance(before: CpuTimes, after: CpuTimes): string | undefined {
  const ticks = ((after.atMs - before.atMs) / 1000) * TICKS_PER_SECOND;
  const ours = after.own - before.own + after.kernel - before.kernel;
  const foreign = (after.busy - before.busy - ours) / ticks;
  const stolen = (after.stolen - before.stolen) / ticks;
  if (stolen > MOST_STOLEN) return `the host took ${percent(stolen)} of a CPU away`;
  if (foreign > MOST_FOREIGN)
    return `other processes took ${percent(foreign)} of a CPU${busiest(before, after, ticks)}`;
  return undefined;
}

/** " (node 4711: 80 %)", or nothing when it has ended. */
function busiest(before: CpuTimes, after: CpuTimes, ticks: number): string {
  const used = [...after.others].map(([pid, { name, ticks: now }]) => {
    return { pid, name, share: (now - (before.others.get(pid)?.ticks ?? 0)) / ticks };
  });
  const [most] = used.sort((a, b) => b.share - a.share);
  return most && most.share > MOST_FOREIGN / 2 ? ` (${most.name} ${most.pid}: ${percent(most.share)})` : '';
}

const percent = (share: number): string => `${Math.round(100 * share)} %`;

function readProcess(file: string): ProcessTime | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'latin1');
  } catch {
    return undefined; // it ended meanwhile
  }
  const [, name = '', rest = ''] = /\((.*)\) (.*)/s.exec(text) ?? [];
  const fields = rest.split(' ');
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return { name, parent: Number(fields[1]), ticks };
}

function descendsFrom(self: number, pid: number, processes: ReadonlyMap<number, ProcessTime>): boolean {
  for (let at: number | undefined = pid; at; at = processes.get(at)?.parent) if (at === self) return true;
  return false;
}

/** Records what `run` measures, unless something else used the CPUs meanwhile: then it says so, and by whom. */
export async function undisturbed(
  { quick, keepsDisturbed }: Pick<Settings, 'quick' | 'keepsDisturbed'>,
  record: Record,
  run: (record: Record) => Promise<void>,
): Promise<void> {
  if (quick) return run(record);
  const samples: Sample[] = [];
  const before = readCpuTimes();
  await run((sample) => samples.push(sample));
  const disturbed = disturbance(before, readCpuTimes());
  if (disturbed) process.stderr.write(`${samples[0]?.tool ?? 'a sample'} was disturbed: ${disturbed}\n`);
  if (disturbed && !keepsDisturbed) return;
  for (const sample of samples) record(disturbed ? { ...sample, variant: `${sample.variant}, disturbed` } : sample);
}
