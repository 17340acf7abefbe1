/** Turns the addon's errors into DpcapErrors: the addon supplies code, errno, subject and trail, this file hints. */
import { asDpcapError, DpcapError, type ErrorCode } from '../errors.js';

/** How a capture reaches its application; file: there is none. */
export type Way = 'pdump' | 'agent' | 'ebpf' | 'file';

/** What a person can do about an application whose DPDK was built with other limits. */
export const OTHER_BUILD_HINT =
  "build dpcap's addon against the DPDK of the application (PKG_CONFIG_PATH=DIR npm run build:native), " +
  'or build the application with the usual limits';

/** What a person can do about an error that came from the addon; unless the way says otherwise, by way of pdump. */
const HINTS: Partial<Record<ErrorCode, string>> = {
  ERR_ADDON_LOAD:
    'run dpcap where the primary runs (nsenter --target PID --mount --pid), or give libraries of its release that were ' +
    'built for this system with --dpdk-libs DIR',
  ERR_PERMISSION:
    'have root own it, and nobody else write to it, or install the libraries of that release on this system',
  ERR_VERSION_MISMATCH: OTHER_BUILD_HINT,
  ERR_EAL_INIT: 'dpcap doctor looks for the cause',
  ERR_CAPTURE_BUSY: 'stop the other capture; if it was killed, clear it with: dpcap recover',
  ERR_PRIMARY_TIMEOUT: 'the primary does not answer requests: is it stopped, or busy in a debugger?',
  ERR_NO_MEMORY: 'free huge pages for the primary, or ask for a smaller buffer with -B',
  ERR_INJECT_FAILED: 'the application goes on; see whether the agent comes late: dpcap agent check',
  ERR_ENABLE_FAILED: "the primary's own log says more",
};

/** What differs for captures that go other ways: there are no huge pages of the primary's, no requests, no owner records. */
const HINTS_OF_WAY: Record<Way, Partial<Record<ErrorCode, string>>> = {
  pdump: {},
  agent: {
    ERR_CAPTURE_BUSY: 'stop one of its captures: dpcap list shows them',
    ERR_PRIMARY_TIMEOUT: 'is the application stopped, in a debugger, or without a CPU for the thread dpcap-agent?',
    ERR_NO_MEMORY: 'ask for a smaller buffer with -B, or give the application (its memory cgroup) more memory',
    ERR_VERSION_MISMATCH: 'restart the application with the agent of this dpcap: dpcap agent path',
    ERR_ENABLE_FAILED: "the application's own log says more",
  },
  ebpf: {
    ERR_NO_MEMORY:
      'ask for a smaller buffer with -B: the ring is memory of the kernel, which counts it for this cgroup',
    ERR_PERMISSION:
      'run it as root, or with CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE; dpcap doctor says what is missing',
    ERR_ENABLE_FAILED: 'dpcap doctor says what stands in the way of probes here',
  },
  file: { ERR_NO_MEMORY: 'give it more memory: what waits for the output takes 32 MiB' },
};

/** Awaits a promise of the addon and turns its error into a DpcapError with a hint. */
export async function native<T>(promise: Promise<T>, way: Way = 'pdump'): Promise<T> {
  try {
    return await promise;
  } catch (thrown) {
    throw nativeError(thrown, way);
  }
}

/** Returns the result of a call of the addon, and turns its error into a DpcapError with a hint. */
export function checked<T>(call: () => T, way: Way = 'pdump'): T {
  try {
    return call();
  } catch (thrown) {
    throw nativeError(thrown, way);
  }
}

/** An error of the addon as a DpcapError with a hint. */
export function nativeError(thrown: unknown, way: Way = 'pdump'): DpcapError {
  const { code, errno, subject, message } = thrown as {
    code?: unknown;
    errno?: string;
    subject?: string;
    message: string;
  };
  if (typeof code !== 'string' || !code.startsWith('ERR_')) return asDpcapError(thrown);
  const known = code as ErrorCode;
  return new DpcapError(known, message, {
    errno,
    subject,
    hint: HINTS_OF_WAY[way][known] ?? HINTS[known],
    cause: thrown,
  });
}
