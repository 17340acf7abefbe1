/** Whether the agent can be brought into a process, and how. Pure: facts in, a verdict out. */
import { DpcapError, type ErrorCode } from '../../errors.js';
import { printable } from '../../text/printable.js';
import type { Asker, Target } from './facts.js';
import type { Places } from './places.js';
import type { AgentOf } from './sockets.js';

/** The library for a release, or why there is none that may be used. */
export type LibraryFor = (abi: number) => string | DpcapError;

/** What would be done. */
export interface InjectPlan {
  target: Target;
  library: string;
  /** How the library gets there: by its path, or as a file in memory that the process itself makes. */
  delivery: 'path' | 'memfd';
  places: Places;
}

export type Verdict =
  | { kind: 'present'; target: Target; agent: AgentOf }
  | { kind: 'refused'; error: DpcapError }
  | { kind: 'possible'; plan: InjectPlan };

/** What the user has said about a filter of system calls. */
export interface Consent {
  despiteSeccomp: boolean;
}

const PRESERVED_YAMA = 3;
const WITHOUT = 'to have the agent without it: start it with -d, or LD_PRELOAD, and the file of `dpcap agent path`';

/** The verdict about a process; `target` is undefined when there is none with this pid. */
export function judge(
  pid: number,
  target: Target | undefined,
  asker: Asker,
  libraryFor: LibraryFor,
  { despiteSeccomp }: Consent,
): Verdict {
  const gone = refuse('ERR_PRIMARY_ABSENT', `there is no process ${pid}`, 'ESRCH', 'dpcap list shows the processes');
  if (!target) return { kind: 'refused', error: gone };
  const early = ofProcess(target) ?? ofPermission(target, asker) ?? ofMachine(target, asker) ?? ofDpdk(target);
  if (early) return { kind: 'refused', error: early };
  if (target.agent) return { kind: 'present', target, agent: target.agent };
  const library = libraryFor(target.dpdk?.abi ?? 0);
  const error =
    ofState(target) ??
    ofAgent(target, library) ??
    ofLoader(target) ??
    ofPolicy(target, asker, despiteSeccomp) ??
    ofSurroundings(target);
  const places = target.mapped?.places;
  if (error || !places) return { kind: 'refused', error: error ?? noRoom(target) };
  const delivery = needsFile(target, asker) ? 'memfd' : 'path';
  return { kind: 'possible', plan: { target, library: library as string, delivery, places } };
}

/** Whether the library cannot be loaded by its path for certain: another user may not be let into its folders. */
function needsFile({ sharesFiles, uids }: Target, { uid }: Asker): boolean {
  return !sharesFiles || uids[1] !== uid;
}

function ofProcess({ pid, state }: Target): DpcapError | undefined {
  if (state !== 'Z' && state !== 'X') return undefined;
  return refuse('ERR_PRIMARY_ABSENT', `process ${pid} has ended, and waits for its parent`, 'ESRCH', 'start it again');
}

function ofPermission(target: Target, { uid, canTraceAll, yama }: Asker): DpcapError | undefined {
  const hint = 'run dpcap as root, or with CAP_SYS_PTRACE';
  if (yama >= PRESERVED_YAMA) {
    const message = 'this system lets nobody trace a process (kernel.yama.ptrace_scope is 3)';
    return refuse('ERR_PERMISSION', message, 'EPERM', `only a restart of the system changes that; ${WITHOUT}`);
  }
  if (!canTraceAll && target.uids.some((one) => one !== uid)) {
    return refuse('ERR_PERMISSION', `${name(target)} belongs to another user`, 'EPERM', hint);
  }
  if (!canTraceAll && yama > 0) {
    const message = `this system lets only root trace a process (kernel.yama.ptrace_scope is ${yama})`;
    return refuse('ERR_PERMISSION', message, 'EPERM', hint);
  }
  if (target.dpdk && target.mapped) return undefined;
  return refuse('ERR_PERMISSION', `${name(target)} cannot be looked at, or has ended meanwhile`, 'EACCES', hint);
}

function ofMachine(target: Target, { hasTrampoline }: Asker): DpcapError | undefined {
  if (!hasTrampoline) {
    return refuse('ERR_INJECT_REFUSED', 'injection is written for x86-64 alone so far', 'ENOSYS', WITHOUT);
  }
  if (target.dpdk?.is64Bit) return undefined;
  return refuse('ERR_INJECT_REFUSED', `${name(target)} is a program of 32 bits`, 'ENOEXEC', WITHOUT);
}

function ofDpdk(target: Target): DpcapError | undefined {
  if (target.dpdk?.isThere) return undefined;
  const message = `${name(target)} has no DPDK in it that others can call`;
  const hint =
    'dpcap list shows the applications; one with DPDK linked into it has to export its symbols (-Wl,--export-dynamic)';
  return refuse('ERR_PRIMARY_ABSENT', message, 'ENOENT', hint);
}

function ofState(target: Target): DpcapError | undefined {
  if (target.tracerPid !== 0) {
    const message = `${name(target)} is traced by process ${target.tracerPid}`;
    return refuse('ERR_INJECT_REFUSED', message, 'EBUSY', 'end that debugger, strace or the like');
  }
  if (target.state !== 'T' && target.state !== 't') return undefined;
  const hint = `let it go on: kill -CONT ${target.pid}`;
  return refuse('ERR_PRIMARY_STOPPED', `${name(target)} is stopped`, 'EAGAIN', hint);
}

function ofAgent(target: Target, library: string | DpcapError): DpcapError | undefined {
  if (target.dpdk?.hasAgentLibrary) {
    const message = `${name(target)} has the agent's library, which does not answer`;
    return refuse('ERR_INJECT_REFUSED', message, 'EEXIST', `see why: dpcap agent check ${target.pid}`);
  }
  if (target.dpdk?.abi === undefined) {
    const message = `${name(target)} does not tell the release of its DPDK`;
    return refuse('ERR_VERSION_MISMATCH', message, 'ENOENT', WITHOUT);
  }
  return library instanceof DpcapError ? library : undefined;
}

function ofLoader({ mapped, ...target }: Target): DpcapError | undefined {
  if (mapped?.hasGlibc) return undefined;
  const message = `${name(target)} has no glibc that could load a library: it is linked statically, or with another C library`;
  return refuse(
    'ERR_INJECT_REFUSED',
    message,
    'ENOEXEC',
    'link it with the agent (<dpcap_agent.h>), and start it again',
  );
}

function ofPolicy(target: Target, asker: Asker, despiteSeccomp: boolean): DpcapError | undefined {
  if (target.forbiddenBy !== undefined) {
    const message = `it is forbidden for ${name(target)}: there is ${target.forbiddenBy}`;
    return refuse('ERR_INJECT_REFUSED', message, 'EPERM', 'ask those who have put the file there');
  }
  if (target.hasShadowStack) {
    const message = `${name(target)} has user shadow stacks, against which a detour of a thread is a crash`;
    return refuse('ERR_INJECT_REFUSED', message, 'ENOTSUP', WITHOUT);
  }
  if (target.hasSeccomp && !despiteSeccomp) {
    const message = `${name(target)} has a filter of system calls (seccomp), which may end it for what the agent calls`;
    const hint =
      'if it allows socket, bind, memfd_create and what a loader needs, as those of container runtimes do: --despite-seccomp';
    return refuse('ERR_INJECT_REFUSED', message, 'EPERM', hint);
  }
  if (!needsFile(target, asker) || asker.memfdNoexec === 0) return undefined;
  const message =
    `${name(target)} is another user's, or has other files than dpcap, and this system forbids code in memory files ` +
    `(vm.memfd_noexec is ${asker.memfdNoexec})`;
  return refuse('ERR_INJECT_REFUSED', message, 'EACCES', runThere(target));
}

function ofSurroundings(target: Target): DpcapError | undefined {
  if (target.sharesUsers) return undefined;
  const message = `${name(target)} is in another user namespace, where the agent could not tell who asks it`;
  return refuse(
    'ERR_INJECT_REFUSED',
    message,
    'EPERM',
    `run dpcap there: nsenter --target ${target.pid} --all dpcap ...`,
  );
}

function runThere({ pid }: Target): string {
  return `run dpcap there: nsenter --target ${pid} --mount --pid dpcap ...`;
}

function noRoom(target: Target): DpcapError {
  const message = `${name(target)} has no room for the injected code, or no dlopen()`;
  return refuse('ERR_INJECT_REFUSED', message, 'ENOSPC', WITHOUT);
}

/** For messages: `router (pid 7)`. */
export function name({ program, pid }: Pick<Target, 'program' | 'pid'>): string {
  return `${printable(program)} (pid ${pid})`;
}

function refuse(code: ErrorCode, message: string, errno: string, hint: string): DpcapError {
  return new DpcapError(code, message, { errno, hint });
}
