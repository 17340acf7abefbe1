/** Finds where DPDK keeps the files of a primary, by DPDK's own rules (eal_create_runtime_dir, 21.11 to 26.07). */
import { basename, dirname, join } from 'node:path';
import { UsageError } from '../errors.js';

/** The file prefix of an application that was given none. */
export const DEFAULT_PREFIX = 'rte';

/** This variable names the only directory to search for primaries, instead of DPDK's own rules and all processes. */
export const ONLY_ROOT = 'DPCAP_RUNTIME_ROOT';

/** The directory that holds one directory per file prefix. */
export function runtimeRoot(env: NodeJS.ProcessEnv = process.env, uid: number = currentUid()): string {
  const only = env[ONLY_ROOT];
  if (only) return only;
  if (env.RUNTIME_DIRECTORY) return join(env.RUNTIME_DIRECTORY, 'dpdk');
  if (uid === 0) return '/var/run/dpdk';
  return join(env.XDG_RUNTIME_DIR || '/tmp', 'dpdk');
}

/**
 * The directory of one file prefix.
 * @throws UsageError when the prefix could not be the name of a directory in `root`
 */
export function runtimeDir(prefix: string, root: string = runtimeRoot()): string {
  return join(root, checkPrefix(prefix));
}

/**
 * Returns the prefix itself when it is a valid one.
 * @throws UsageError
 */
export function checkPrefix(prefix: string): string {
  if (prefix !== '' && prefix !== '.' && !/\/|\0|\.\./.test(prefix)) return prefix;
  throw new UsageError(`file prefix ${JSON.stringify(prefix)}: not a name`, {
    subject: prefix,
    hint: 'give the name the application was started with (--file-prefix), without "/" and ".."',
  });
}

/**
 * Returns the environment that EAL needs to use a runtime directory: EAL has no option for it.
 * @returns an empty object for a directory that no value leads to
 */
export function runtimeEnvironment(runtimeDir: string): { RUNTIME_DIRECTORY?: string } {
  const root = dirname(runtimeDir);
  return basename(root) === 'dpdk' ? { RUNTIME_DIRECTORY: dirname(root) } : {};
}

/** The effective numeric user id; all systems on which DPDK runs have one. */
export function currentUid(): number {
  return process.geteuid?.() ?? 0;
}
