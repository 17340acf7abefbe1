/** Recognises a primary that is DPVS, and finds its socket. */
import { readlinkSync, statSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { UsageError } from '../errors.js';
import type { Primary } from '../primary/discover.js';

/** Default paths of the socket: from 1.9.4 on, and before. */
export const DEFAULT_SOCKETS: readonly string[] = ['/var/run/dpvs.ipc', '/var/run/dpvs_ctrl'];
export const DEFAULT_CONFIG = '/etc/dpvs.conf';
/** Bytes of sun_path without its NUL. */
const MAX_PATH = 107;

/** Whether a primary is a DPVS: its executable's name is "dpvs", or has a version behind that. */
export function isDpvs(primary: Primary): boolean {
  return /^dpvs([-_.].*)?$/.test(primary.process?.program ?? '');
}

/** Value of an option of DPVS: DPVS's own arguments stand before the `--`, EAL's behind it. */
export function dpvsOption(primary: Primary, short: string, long: string): string | undefined {
  const words = primary.process?.commandLine ?? [];
  const end = words.indexOf('--');
  const own = end === -1 ? words : words.slice(0, end);
  for (const [i, word] of own.entries()) {
    if (word === short || word === long) return own[i + 1];
    if (word.startsWith(`${long}=`)) return word.slice(long.length + 1);
    if (word.startsWith(short) && !word.startsWith('--')) return word.slice(short.length);
  }
  return undefined;
}

/** The configuration file that DPVS was told, whatever its working directory and its mount namespace are. */
export function configPath(primary: Primary, procDir = '/proc'): string {
  const told = dpvsOption(primary, '-c', '--conf');
  const path = told === undefined ? DEFAULT_CONFIG : fromItsDirectory(told, primary, procDir);
  return primary.elsewhere?.isHidden ? join(procDir, String(primary.pid), 'root', path) : path;
}

/** A relative path on its command line starts at its working directory. */
function fromItsDirectory(path: string, { pid }: Primary, procDir: string): string {
  if (isAbsolute(path) || pid === undefined) return path;
  try {
    return join(readlinkSync(join(procDir, String(pid), 'cwd')), path);
  } catch {
    return path; // the process belongs to another user
  }
}

/** The DPVS that made a socket, as far as its command line tells. */
export function dpvsBehind(socket: string, primaries: readonly Primary[]): Primary | undefined {
  return primaries.find((one) => isDpvs(one) && socketCandidates({ primary: one, env: {} }).includes(socket));
}

/** Places where the socket's path may be told. */
export interface SocketHints {
  /** Value of --ipc-file. */
  ipcFile?: string | undefined;
  env?: NodeJS.ProcessEnv;
  /** A DPVS that was found. */
  primary?: Primary | undefined;
  defaults?: readonly string[];
}

/**
 * Returns the paths to try, in this order. There is more than one only when nothing tells the path.
 * @throws UsageError for a path that no socket can have
 */
export function socketCandidates({
  ipcFile,
  env = process.env,
  primary,
  defaults = DEFAULT_SOCKETS,
}: SocketHints): string[] {
  if (ipcFile !== undefined) return [checkPath('--ipc-file', ipcFile)];
  if (env.DPVS_IPC_FILE) return [checkPath('DPVS_IPC_FILE', env.DPVS_IPC_FILE)];
  const told = primary && dpvsOption(primary, '-x', '--ipc-file');
  return told ? [fromItsDirectory(told, primary, '/proc')] : [...defaults];
}

/** The path is made absolute, because `dpcap recover` may have another working directory. */
function checkPath(option: string, given: string): string {
  const path = given === '' ? '' : resolve(given);
  if (path !== '' && Buffer.byteLength(path) <= MAX_PATH && !path.includes('\0')) return path;
  throw new UsageError(`${option}: ${path === '' ? 'the path is empty' : 'the path is too long'}`, {
    subject: path,
    hint: `the path of a socket has 1 to ${MAX_PATH} bytes`,
  });
}

/** Whether a socket is there. It is not checked that a process listens on it. */
export function isSocket(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isSocket() ?? false;
}

/** Identifies one life of a DPVS: it makes its socket anew at each start. Undefined when there is no socket. */
export function socketIdentity(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false, bigint: true });
  return stat && `${stat.dev}:${stat.ino}:${stat.mtimeNs}`;
}
