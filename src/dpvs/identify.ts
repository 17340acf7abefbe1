/** Recognises a primary that is DPVS, and finds its socket. */
import { readlinkSync, statSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { UsageError } from '../errors.js';
import type { Primary } from '../primary/discover.js';

/** From 1.9.4, and before. */
export const DEFAULT_SOCKETS: readonly string[] = ['/var/run/dpvs.ipc', '/var/run/dpvs_ctrl'];
export const DEFAULT_CONFIG = '/etc/dpvs.conf';
/** sun_path without its NUL. */
const MAX_PATH = 107;

/** Whether a primary is a DPVS: by its executable's name, "dpvs" or with a version behind it. */
export function isDpvs(primary: Primary): boolean {
  return /^dpvs([-_.].*)?$/.test(primary.process?.program ?? '');
}

/** DPVS's own arguments stand before the `--`, EAL's behind it. */
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

/** Its configuration file, as it was told, whatever its working directory and its mount namespace. */
export function configPath(primary: Primary, procDir = '/proc'): string {
  const told = dpvsOption(primary, '-c', '--conf');
  const path = told === undefined ? DEFAULT_CONFIG : fromItsDirectory(told, primary, procDir);
  return primary.elsewhere?.isHidden ? join(procDir, String(primary.pid), 'root', path) : path;
}

/** A relative path on its command line is one from where it runs. */
function fromItsDirectory(path: string, { pid }: Primary, procDir: string): string {
  if (isAbsolute(path) || pid === undefined) return path;
  try {
    return join(readlinkSync(join(procDir, String(pid), 'cwd')), path);
  } catch {
    return path; // another user's
  }
}

/** The DPVS that made a socket, as far as its command line tells. */
export function dpvsBehind(socket: string, primaries: readonly Primary[]): Primary | undefined {
  return primaries.find((one) => isDpvs(one) && socketCandidates({ primary: one, env: {} }).includes(socket));
}

/** Where the socket's path may be told. */
export interface SocketHints {
  /** --ipc-file. */
  ipcFile?: string | undefined;
  env?: NodeJS.ProcessEnv;
  /** A DPVS that was found. */
  primary?: Primary | undefined;
  defaults?: readonly string[];
}

/**
 * Paths to try in this order; more than one only when nobody told.
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

/** Absolute, because `dpcap recover` may run elsewhere. */
function checkPath(option: string, given: string): string {
  const path = given === '' ? '' : resolve(given);
  if (path !== '' && Buffer.byteLength(path) <= MAX_PATH && !path.includes('\0')) return path;
  throw new UsageError(`${option}: ${path === '' ? 'the path is empty' : 'the path is too long'}`, {
    subject: path,
    hint: `the path of a socket has 1 to ${MAX_PATH} bytes`,
  });
}

/** Whether a socket is there; nobody need listen on it. */
export function isSocket(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isSocket() ?? false;
}

/** Names one life of a DPVS: it makes its socket anew at each start. Undefined when there is no socket. */
export function socketIdentity(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false, bigint: true });
  return stat && `${stat.dev}:${stat.ino}:${stat.mtimeNs}`;
}
