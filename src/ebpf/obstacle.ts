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
  const capabilities = /^CapEff:\t([0-9a-f]+)$/m.exec(text(join(procDir, 'self/status')))?.[1] ?? '0';
  const isBuilt = findBuilt(EBPF_ADDON) !== undefined;
  return {
    isBuilt,
    addonFault: isBuilt ? loadFault() : undefined,
    kernel: release(),
    capabilities: BigInt(`0x${capabilities}`),
    hasUprobes: existsSync(join(sysDir, 'bus/event_source/devices/uprobe/type')),
    lockdown: text(join(sysDir, 'kernel/security/lockdown')),
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
  const missing = missingCapabilities(facts.capabilities);
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
  if (isOlder(facts.kernel))
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

function missingCapabilities(have: bigint): string[] {
  const has = (capability: bigint): boolean => ((have >> capability) & 1n) === 1n;
  const isAdmin = has(CAP_SYS_ADMIN); // which stands for the two that were split off it in Linux 5.8
  return [
    ...(isAdmin || has(CAP_BPF) ? [] : ['CAP_BPF']),
    ...(isAdmin || has(CAP_PERFMON) ? [] : ['CAP_PERFMON']),
    ...(has(CAP_SYS_PTRACE) ? [] : ['CAP_SYS_PTRACE']),
  ];
}

function isOlder(kernel: string): boolean {
  const [major = 0, minor = 0] = kernel.split('.').map((part) => Number.parseInt(part, 10));
  return major < KERNEL_MIN[0] || (major === KERNEL_MIN[0] && minor < KERNEL_MIN[1]);
}
