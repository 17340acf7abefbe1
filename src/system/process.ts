/** What /proc tells about one process. */
import { readFileSync, readlinkSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';

/** USER_HZ, the unit of times in /proc/PID/stat: 100 on every Linux that DPDK supports. */
const TICKS_PER_SECOND = 100;

/** What is known about one process; what could not be read is undefined. */
export interface ProcessInfo {
  pid: number;
  /** Base name of the executable, else the kernel's short name. */
  program: string | undefined;
  commandLine: string[];
  /** Clock ticks from boot to start: together with the pid it identifies a process for ever. */
  startTicks: number | undefined;
  startTime: Date | undefined;
  uid: number | undefined;
  user: string | undefined;
  /** Its pids in its own and all enclosing PID namespaces, outermost first. */
  namespacePids: number[];
}

/** Reads /proc/PID; undefined when there is no such process. */
export function readProcess(pid: number, procDir = '/proc'): ProcessInfo | undefined {
  const dir = join(procDir, String(pid));
  const uid = attempt(() => statSync(dir).uid);
  const stat = attempt(() => readFileSync(join(dir, 'stat'), 'latin1'));
  if (uid === undefined || stat === undefined) return undefined;
  const startTicks = parseStartTicks(stat);
  return {
    pid,
    program: programName(dir),
    commandLine: splitCommandLine(attempt(() => readFileSync(join(dir, 'cmdline'), 'utf8')) ?? ''),
    startTicks,
    startTime: startTicks === undefined ? undefined : startDate(startTicks, procDir),
    uid,
    user: userName(uid),
    namespacePids: namespacePidsOf(pid, procDir),
  };
}

/** The pids of a process in its own and all enclosing PID namespaces, outermost first; `[pid]` where that is not told. */
export function namespacePidsOf(pid: number, procDir = '/proc'): number[] {
  const status = attempt(() => readFileSync(join(procDir, String(pid), 'status'), 'latin1'));
  return parseNamespacePids(status ?? '') ?? [pid];
}

/** Whether this very process runs: not another one with its pid, and not a zombie that nobody has reaped yet. */
export function isRunning(pid: number, startTicks: number, procDir = '/proc'): boolean {
  return runningSince(pid, procDir) === startTicks;
}

/** The same, where only the low 32 bits of the start time are known. */
export function isRunningLow(pid: number, lowTicks: number, procDir = '/proc'): boolean {
  const ticks = runningSince(pid, procDir);
  return ticks !== undefined && ticks >>> 0 === lowTicks;
}

/** Start time, in clock ticks, of the process that runs with this pid. */
function runningSince(pid: number, procDir: string): number | undefined {
  const stat = attempt(() => readFileSync(join(procDir, String(pid), 'stat'), 'latin1'));
  if (stat === undefined || /^\) [ZX] /.test(stat.slice(stat.lastIndexOf(')')))) return undefined;
  return parseStartTicks(stat);
}

/** Field 22 of /proc/PID/stat. The second field is a name in brackets that may hold anything, brackets included. */
export function parseStartTicks(stat: string): number | undefined {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[19]);
  return Number.isSafeInteger(ticks) && fields[19] !== '' ? ticks : undefined;
}

/** The words of /proc/PID/cmdline. */
export function splitCommandLine(text: string): string[] {
  const words = text.split('\0');
  while (words.length > 0 && words.at(-1) === '') words.pop();
  return words;
}

function parseNamespacePids(status: string): number[] | undefined {
  const line = /^NSpid:\s*([\d\s]+)$/m.exec(status)?.[1];
  return line?.trim().split(/\s+/).map(Number);
}

function programName(dir: string): string | undefined {
  const target = attempt(() => readlinkSync(join(dir, 'exe')));
  if (target) return basename(target.replace(/ \(deleted\)$/, ''));
  return attempt(() => readFileSync(join(dir, 'comm'), 'utf8'))?.trim() || undefined;
}

function startDate(ticks: number, procDir: string): Date | undefined {
  const boot = /^btime (\d+)$/m.exec(attempt(() => readFileSync(join(procDir, 'stat'), 'latin1')) ?? '')?.[1];
  return boot === undefined ? undefined : new Date((Number(boot) + ticks / TICKS_PER_SECOND) * 1000);
}

function userName(uid: number): string {
  const passwd = attempt(() => readFileSync('/etc/passwd', 'utf8')) ?? '';
  const line = passwd.split('\n').find((entry) => entry.split(':')[2] === String(uid));
  return line?.split(':')[0] ?? String(uid);
}

/** Returns undefined for what cannot be read: a process may end meanwhile, or belong to another user. */
export function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
