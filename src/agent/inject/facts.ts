/** What is looked up of a process, and of this machine, before anything is injected; judge.ts says what it means. */
import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type HostAddon, hostAddon } from '../../native/addons.js';
import { currentUid } from '../../primary/runtime-dir.js';
import { attempt, readProcess } from '../../system/process.js';
import { type DpdkInside, dpdkInside } from './dpdk.js';
import { findPlaces, type Mapped } from './places.js';
import { type AgentOf, askAgentOf, runtimeRoots, type Whereabouts } from './sockets.js';
import { controlThreads, type Thread } from './threads.js';

/** Whose presence forbids it: for a whole system, and in the runtime directory of one application. */
export const FORBIDDING_FILE = '/etc/dpcap/no-inject';
export const FORBIDDING_NAME = 'dpcap_no_inject';

/** Facts about who asks, and where. */
export interface Asker {
  uid: number;
  canTraceAll: boolean;
  /** kernel.yama.ptrace_scope; 0 without Yama. */
  yama: number;
  /** vm.memfd_noexec; 0 where the kernel does not know it. */
  memfdNoexec: number;
  hasTrampoline: boolean;
}

/** Facts about the process. */
export interface Target {
  pid: number;
  program: string;
  startTicks: number | undefined;
  /** As in /proc/PID/status: R, S, D, T, t, Z. */
  state: string;
  tracerPid: number;
  /** Real, effective, saved and file system's user id. */
  uids: number[];
  hasSeccomp: boolean;
  hasShadowStack: boolean;
  /** Undefined when its mappings cannot be read. */
  dpdk: DpdkInside | undefined;
  mapped: Mapped | undefined;
  threads: Thread[];
  agent: AgentOf | undefined;
  /** Whether it shares the mount namespace and the root directory with this process. */
  sharesFiles: boolean;
  sharesUsers: boolean;
  forbiddenBy: string | undefined;
  where: Whereabouts;
}

const CAP_SYS_PTRACE = 19n;

export function lookAtAsker(procDir = '/proc', addon: HostAddon = hostAddon()): Asker {
  const capabilities = fieldOf(textOf(join(procDir, 'self/status')), 'CapEff') || '0';
  const setting = (name: string): number => Number(textOf(join(procDir, 'sys', name)).trim() || 0);
  return {
    uid: currentUid(),
    canTraceAll: (BigInt(`0x${capabilities}`) & (1n << CAP_SYS_PTRACE)) !== 0n,
    yama: setting('kernel/yama/ptrace_scope'),
    memfdNoexec: setting('vm/memfd_noexec'),
    hasTrampoline: addon.hasTrampoline,
  };
}

/** Undefined when there is no such process. */
export function lookAtTarget(pid: number, procDir = '/proc', addon: HostAddon = hostAddon()): Target | undefined {
  const info = readProcess(pid, procDir);
  const dir = join(procDir, String(pid));
  const status = textOf(join(dir, 'status'));
  if (!info || status === '') return undefined;
  const sharesFiles = isSame(dir, procDir, 'ns/mnt') && isSameRoot(dir, procDir);
  const uids = fieldOf(status, 'Uid').split(/\s+/).map(Number);
  const where: Whereabouts = {
    pid,
    innerPid: info.namespacePids.at(-1) ?? pid,
    uid: uids[1] ?? info.uid ?? 0,
    root: sharesFiles ? '' : join(dir, 'root'),
  };
  const dpdk = attempt(() => dpdkInside(pid, procDir));
  const threads = controlThreads(pid, procDir);
  // A thread may have a filter, or a shadow stack, of its own, and the agent's thread inherits from the one that is borrowed.
  const statuses = [status, ...threads.map(({ tid }) => textOf(join(dir, 'task', String(tid), 'status')))];
  return {
    pid,
    program: info.program ?? '?',
    startTicks: info.startTicks,
    state: fieldOf(status, 'State').slice(0, 1),
    tracerPid: tracerOf(dir, procDir),
    uids,
    hasSeccomp: statuses.some((one) => Number(fieldOf(one, 'Seccomp')) !== 0),
    hasShadowStack: statuses.some((one) => /\bshstk\b/.test(fieldOf(one, 'x86_Thread_features'))),
    dpdk,
    mapped: attempt(() => findPlaces(pid, addon.trampolineRoom, procDir)),
    threads,
    agent: askAgentOf(where, addon, procDir),
    sharesFiles,
    sharesUsers: isSame(dir, procDir, 'ns/user'),
    forbiddenBy: forbiddenBy(where, dpdk?.runtimeDir, procDir),
    where,
  };
}

/** A tracer is a thread, and has threads, not processes: any of them counts. 0 when there is none. */
function tracerOf(dir: string, procDir: string): number {
  const tasks = attempt(() => readdirSync(join(dir, 'task'))) ?? [];
  const tracers = tasks.map((tid) => Number(fieldOf(textOf(join(dir, 'task', tid, 'status')), 'TracerPid')));
  const tracer = tracers.find((one) => one !== 0) ?? 0;
  return tracer === 0 ? 0 : Number(fieldOf(textOf(join(procDir, String(tracer), 'status')), 'Tgid')) || tracer;
}

/** Whether the namespace is that of this process. One that cannot be read is another user's, who is refused anyway. */
function isSame(dir: string, procDir: string, kind: string): boolean {
  const [theirs, ours] = [dir, join(procDir, 'self')].map((one) => attempt(() => readlinkSync(join(one, kind))));
  return theirs === ours;
}

function isSameRoot(dir: string, procDir: string): boolean {
  const [theirs, ours] = [dir, join(procDir, 'self')].map((one) => {
    const stat = attempt(() => statSync(join(one, 'root/')));
    return stat && `${stat.dev}:${stat.ino}`;
  });
  return theirs === ours;
}

/** An application may run in a container, and the file be in it, or outside. */
function forbiddenBy(where: Whereabouts, runtimeDir: string | undefined, procDir: string): string | undefined {
  const ofAll = [FORBIDDING_FILE, `${where.root}${FORBIDDING_FILE}`];
  const roots = runtimeRoots(where, procDir);
  const own = runtimeDir === undefined ? [] : [`${where.root}${runtimeDir}`];
  // Where the application's own folder is not known, that of any counts.
  const named = roots.flatMap((root) =>
    runtimeDir === undefined ? foldersIn(root) : [join(root, basename(runtimeDir))],
  );
  return [...ofAll, ...[...own, ...named].map((dir) => join(dir, FORBIDDING_NAME))].find((path) => existsSync(path));
}

function foldersIn(root: string): string[] {
  return (attempt(() => readdirSync(root)) ?? []).map((name) => join(root, name));
}

/** The value of a line of /proc/PID/status, or an empty text. */
function fieldOf(status: string, name: string): string {
  return new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? '';
}

function textOf(path: string): string {
  return attempt(() => readFileSync(path, 'latin1')) ?? '';
}
