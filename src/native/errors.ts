/** Turns the addon's errors into DpcapErrors: the addon supplies code, errno, subject and trail, this file hints. */
import { asDpcapError, DpcapError, type ErrorCode } from '../errors.js';

/** What a person can do about an error that came from the addon. */
const HINTS: Partial<Record<ErrorCode, string>> = {
  ERR_ADDON_LOAD:
    'run dpcap where the primary runs (nsenter --target PID --mount --pid), or give libraries of its release that were ' +
    'built for this system with --dpdk-libs DIR',
  ERR_PERMISSION:
    'have root own it, and nobody else write to it, or install the libraries of that release on this system',
  ERR_VERSION_MISMATCH:
    "build dpcap's addon against the DPDK of the application (PKG_CONFIG_PATH=DIR npm run build:native), " +
    'or build the application with the usual limits',
  ERR_EAL_INIT: 'dpcap doctor looks for the cause',
  ERR_CAPTURE_BUSY: 'stop the other capture; if it was killed, clear it with: dpcap recover',
  ERR_PRIMARY_TIMEOUT: 'the primary does not answer requests: is it stopped, or busy in a debugger?',
  ERR_NO_MEMORY: 'free huge pages for the primary, or ask for a smaller buffer with -B',
  ERR_INJECT_FAILED: 'the application goes on; see whether the agent comes late: dpcap agent check',
  ERR_ENABLE_FAILED: "the primary's own log says more",
};

/** Awaits a promise of the addon and turns its error into a DpcapError with a hint. */
export async function native<T>(promise: Promise<T>): Promise<T> {
  try {
    return await promise;
  } catch (thrown) {
    throw nativeError(thrown);
  }
}

/** Returns the result of a call of the addon, and turns its error into a DpcapError with a hint. */
export function checked<T>(call: () => T): T {
  try {
    return call();
  } catch (thrown) {
    throw nativeError(thrown);
  }
}

/** An error of the addon as a DpcapError with a hint. */
export function nativeError(thrown: unknown): DpcapError {
  const { code, errno, subject, message } = thrown as {
    code?: unknown;
    errno?: string;
    subject?: string;
    message: string;
  };
  if (typeof code !== 'string' || !code.startsWith('ERR_')) return asDpcapError(thrown);
  const known = code as ErrorCode;
  return new DpcapError(known, message, { errno, subject, hint: HINTS[known], cause: thrown });
}
