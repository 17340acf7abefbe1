/** What stands in the way of probes on this machine, whatever the application. */
import { existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { asDpcapError, type DpcapError, type ErrorCode } from '../errors.js';
import { EBPF_ADDON, ebpfAddon, findBuilt } from '../native/addons.js';
import { attempt } from '../system/process.js';

/** What was seen of the machine. */
export interface ProbeFacts {
  isBuilt: boolean;
  /** Why the addon that was built cannot be loaded, which needs libbpf. */
  addonFault: DpcapError | undefined;
  /** "6.1.0-28-amd64" */
  kernel: string;
  /** The effective capabilities of this process. */
  capabilities: bigint;
  hasUprobes: boolean;
  /** The text of /sys/kernel/security/lockdown; empty where there is none. */
  lockdown: string;
  /** As process.arch has it. */
  arch: string;
  /** The text of /proc/self/status. */
  status: string;
}

/** Why probes cannot be set here, and what to do. */
export interface ProbeObstacle {
  code: ErrorCode;
  message: string;
  hint: string;
}

/** bpf_loop(), which the programs use, came with Linux 5.17. */
const KERNEL_MIN = [5, 17] as const;
const CAP_SYS_PTRACE = 19n;
const CAP_SYS_ADMIN = 21n;
const CAP_PERFMON = 38n;
const CAP_BPF = 39n;

export function gatherProbeFacts(procDir = '/proc', sysDir = '/sys'): ProbeFacts {
  const text = (path: string): string => attempt(() => readFileSync(path, 'latin1')) ?? '';
  const status = text(join(procDir, 'self/status'));
  const capabilities = /^CapEff:\t([0-9a-f]+)$/m.exec(status)?.[1] ?? '0';
  const isBuilt = findBuilt(EBPF_ADDON) !== undefined;
  return {
    isBuilt,
    addonFault: isBuilt ? loadFault() : undefined,
    kernel: release(),
    capabilities: BigInt(`0x${capabilities}`),
    hasUprobes: existsSync(join(sysDir, 'bus/event_source/devices/uprobe/type')),
    lockdown: text(join(sysDir, 'kernel/security/lockdown')),
    arch: process.arch,
    status,
  };
}

function loadFault(): DpcapError | undefined {
  try {
    ebpfAddon();
    return undefined;
  } catch (error) {
    return asDpcapError(error);
  }
}

/** The first thing that stands in the way; undefined when nothing does. Pure. */
export function probeObstacle(facts: ProbeFacts): ProbeObstacle | undefined {
  return ofProgram(facts) ?? ofKernel(facts) ?? ofOwnProcess(facts);
}

function ofProgram(facts: ProbeFacts): ProbeObstacle | undefined {
  if (!facts.isBuilt)
    return {
      code: 'ERR_ADDON_LOAD',
      message: `this dpcap was built without probes (${EBPF_ADDON})`,
      hint: 'build it where clang and libbpf are installed, or take another way: --via agent, --via pdump',
    };
  if (facts.addonFault) {
    const { code, message, hint = 'install libbpf: apt install libbpf1' } = facts.addonFault;
    return { code, message, hint };
  }
  return undefined;
}

function ofKernel(facts: ProbeFacts): ProbeObstacle | undefined {
  const missing = missingCapabilities(facts.capabilities);
  if (!isSince(facts.kernel, KERNEL_MIN))
    return {
      code: 'ERR_ENABLE_FAILED',
      message: `Linux ${facts.kernel} is too old for probes that copy packets: ${KERNEL_MIN.join('.')} is the first that can`,
      hint: 'take another way: --via agent, --via pdump',
    };
  if (!facts.hasUprobes)
    return {
      code: 'ERR_ENABLE_FAILED',
      message: 'this kernel has no uprobes',
      hint: 'boot one with CONFIG_UPROBE_EVENTS and CONFIG_BPF_EVENTS',
    };
  if (missing.length > 0)
    return {
      code: 'ERR_PERMISSION',
      message: `probes need ${missing.join(', ')}`,
      hint: 'run dpcap as root',
    };
  if (facts.lockdown.includes('[confidentiality]'))
    return {
      code: 'ERR_PERMISSION',
      message: 'the kernel is locked down (confidentiality), so that no program may read the memory of another',
      hint: 'boot without lockdown=confidentiality, or take another way: --via agent, --via pdump',
    };
  return undefined;
}

/** What probes cost is measured on this process itself, so what would harm an application would harm it as well. */
function ofOwnProcess(facts: ProbeFacts): ProbeObstacle | undefined {
  const harm = harmOfReturnProbe(facts);
  if (harm === undefined) return undefined;
  return {
    code: 'ERR_ENABLE_FAILED',
    message: `dpcap tries probes on itself first, but ${harm}`,
    hint: 'run dpcap without that, such as outside of the container, or take another way: --via agent, --via pdump',
  };
}

/** From when on the kernel gives programs on x86-64 shadow stacks, and from when on its return probes keep them right. */
const SHADOW_STACKS = { from: [6, 6], mended: [6, 11] } as const;
/** From when on a return probe on x86-64 makes a system call, and from when on no filter is asked about that. */
const RETURN_CALL = { from: [6, 11], mended: [6, 14] } as const;

/**
 * Why a probe at the return of a function may end a process, or a thread of it; undefined when it does not. Pure. Kernels
 * that distributions have mended earlier are not known by their numbers, so that they are taken for the others.
 * @param status the texts of /proc/PID/task/TID/status of all its threads
 */
export function harmOfReturnProbe({
  kernel,
  arch,
  status,
}: Pick<ProbeFacts, 'kernel' | 'arch' | 'status'>): string | undefined {
  if (arch !== 'x64') return undefined;
  const isIn = ({ from, mended }: typeof SHADOW_STACKS | typeof RETURN_CALL): boolean =>
    isSince(kernel, from) && !isSince(kernel, mended);
  if (isIn(SHADOW_STACKS) && /^x86_Thread_features:.*\bshstk\b/m.test(status))
    return `it has user shadow stacks, against which a return probe of Linux ${kernel} is a crash`;
  if (isIn(RETURN_CALL) && /^Seccomp:\s*[1-9]/m.test(status))
    return (
      `it has a filter of system calls (seccomp), which may end a thread for the call uretprobe that a return probe of ` +
      `Linux ${kernel} makes`
    );
  return undefined;
}

function missingCapabilities(have: bigint): string[] {
  const has = (capability: bigint): boolean => ((have >> capability) & 1n) === 1n;
  const isAdmin = has(CAP_SYS_ADMIN); // which stands for the two that were split off it in Linux 5.8
  return [
    ...(isAdmin || has(CAP_BPF) ? [] : ['CAP_BPF']),
    ...(isAdmin || has(CAP_PERFMON) ? [] : ['CAP_PERFMON']),
    ...(has(CAP_SYS_PTRACE) ? [] : ['CAP_SYS_PTRACE']),
  ];
}

function isSince(kernel: string, [fromMajor, fromMinor]: readonly [number, number]): boolean {
  const [major = 0, minor = 0] = kernel.split('.').map((part) => Number.parseInt(part, 10));
  return major > fromMajor || (major === fromMajor && minor >= fromMinor);
}
