/** Finds the primaries of this machine by their files, without joining any. */
import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { DpcapError, errnoOf } from '../errors.js';
import { CONFIG_HEAD_SIZE, type ConfigHead, type DpdkVersion, parseConfig } from './config-file.js';
import type { Host } from './host.js';
import { type ProcessInfo, readProcess } from './process.js';
import { checkPrefix } from './runtime-dir.js';
import { answeringSockets } from './telemetry.js';

/**
 * running: alive and initialised. starting: alive, rte_eal_init() has not finished. dead: its files are left.
 * unreadable: this user may not look at it.
 */
export type PrimaryState = 'running' | 'starting' | 'dead' | 'unreadable';

/** One primary, or what is left of one. */
export interface Primary {
  filePrefix: string;
  runtimeDir: string;
  state: PrimaryState;
  /** False for a primary that keeps its configuration to itself (`--in-memory`, `--no-shconf`): nobody can join it. */
  shared: boolean;
  /** Undefined when it is dead, or in a PID namespace that cannot be seen from here. */
  pid: number | undefined;
  /** Undefined when {@link pid} is, or when the process ended while we looked. */
  process: ProcessInfo | undefined;
  version: DpdkVersion | undefined;
  /** Why it is unreadable. */
  reason: string | undefined;
}

/**
 * All primaries under a runtime root, sorted by file prefix.
 * @param root see runtimeRoot()
 * @throws DpcapError ERR_PERMISSION when this user may not read `root`
 */
export function findPrimaries(root: string, host: Host): Primary[] {
  return prefixesIn(root).flatMap((prefix) => lookAt(prefix, join(root, prefix), host));
}

function prefixesIn(root: string): string[] {
  try {
    const entries = readdirSync(root, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name)
      .sort();
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ENOTDIR') return [];
    throw new DpcapError('ERR_PERMISSION', `cannot read the runtime directory ${root}`, {
      cause: error,
      errno,
      subject: root,
      hint: 'run dpcap as the user that runs the DPDK application (mostly root)',
    });
  }
}

function lookAt(filePrefix: string, runtimeDir: string, host: Host): Primary[] {
  try {
    const head = readConfig(join(runtimeDir, 'config'));
    const lock = head && host.addon.lockHolder(join(runtimeDir, 'config'));
    if (head && lock?.locked) return [living(filePrefix, runtimeDir, head, lock.pid, host)];
    // The files of a dead primary do not keep an --in-memory one from using the same directory.
    const unshared = unsharedPrimaries(filePrefix, runtimeDir, host);
    if (unshared.length > 0 || !head) return unshared;
    return [{ ...blank(filePrefix, runtimeDir), state: 'dead', version: head.version }];
  } catch (error) {
    return [{ ...blank(filePrefix, runtimeDir), state: 'unreadable', reason: (error as Error).message }];
  }
}

/** Undefined when there is no such file. */
function readConfig(path: string): ConfigHead | undefined {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const head = new Uint8Array(CONFIG_HEAD_SIZE);
    return parseConfig(head.subarray(0, readSync(fd, head, 0, CONFIG_HEAD_SIZE, 0)));
  } finally {
    closeSync(fd);
  }
}

function living(filePrefix: string, runtimeDir: string, head: ConfigHead, pid: number, host: Host): Primary {
  return {
    ...blank(filePrefix, runtimeDir),
    state: head.initialised ? 'running' : 'starting',
    pid: pid || undefined,
    process: pid ? readProcess(pid, host.procDir) : undefined,
    version: head.version,
  };
}

/** Without a `config` file the only sign of life is the telemetry socket. */
function unsharedPrimaries(filePrefix: string, runtimeDir: string, host: Host): Primary[] {
  return answeringSockets(runtimeDir, host).map(({ info }) => ({
    ...blank(filePrefix, runtimeDir),
    state: 'running',
    shared: false,
    pid: info.pid,
    process: readProcess(info.pid, host.procDir),
    version: info.version,
  }));
}

function blank(filePrefix: string, runtimeDir: string): Primary {
  return {
    filePrefix,
    runtimeDir,
    state: 'dead',
    shared: true,
    pid: undefined,
    process: undefined,
    version: undefined,
    reason: undefined,
  };
}

/**
 * The primary to capture from: the one with this prefix, or without a prefix the only one that runs.
 * @throws DpcapError ERR_PRIMARY_ABSENT, ERR_PRIMARY_AMBIGUOUS or ERR_PERMISSION; UsageError for an impossible prefix
 */
export function choosePrimary(primaries: readonly Primary[], prefix: string | undefined): Primary {
  // One that nobody can join is not what was meant while there is another.
  const joinable = primaries.filter((one) => isAlive(one) && one.shared);
  const alive = joinable.length > 0 ? joinable : primaries.filter(isAlive);
  if (prefix !== undefined) checkPrefix(prefix);
  const wanted = prefix === undefined ? alive : primaries.filter((one) => one.filePrefix === prefix);
  const chosen = wanted.find(isAlive) ?? wanted[0];
  if (chosen === undefined) throw absent(prefix, primaries, alive);
  if (chosen.state === 'unreadable') throw unreadable(chosen);
  if (chosen.state === 'dead') throw dead(chosen);
  if (prefix === undefined && new Set(alive.map((one) => one.filePrefix)).size > 1) throw ambiguous(alive);
  return chosen;
}

/** Whether there is a process behind it. */
export function isAlive(primary: Primary): boolean {
  return primary.state === 'running' || primary.state === 'starting';
}

/**
 * Those with this file prefix, whatever their state; without one, all.
 * @throws UsageError for what is no prefix, DpcapError ERR_PRIMARY_ABSENT when there is none
 */
export function primariesWithPrefix(primaries: readonly Primary[], prefix: string | undefined): Primary[] {
  if (prefix === undefined) return [...primaries];
  checkPrefix(prefix);
  const wanted = primaries.filter((one) => one.filePrefix === prefix);
  if (wanted.length === 0) throw absent(prefix, primaries, primaries.filter(isAlive));
  return wanted;
}

function absent(prefix: string | undefined, primaries: readonly Primary[], alive: readonly Primary[]): DpcapError {
  const hidden = primaries.find((one) => one.state === 'unreadable');
  if (prefix === undefined && hidden) return unreadable(hidden);
  const about = prefix === undefined ? '' : ` with file prefix ${prefix}`;
  const hint =
    alive.length > 0
      ? `running: ${alive.map(describe).join(', ')}; choose one with --file-prefix`
      : 'start the DPDK application first; one of another user has its files elsewhere (XDG_RUNTIME_DIR)';
  return new DpcapError('ERR_PRIMARY_ABSENT', `no DPDK primary process${about} is running`, { subject: prefix, hint });
}

function ambiguous(alive: readonly Primary[]): DpcapError {
  return new DpcapError('ERR_PRIMARY_AMBIGUOUS', `several DPDK primary processes are running`, {
    hint: `choose one with --file-prefix: ${alive.map(describe).join(', ')}`,
  });
}

function unreadable(primary: Primary): DpcapError {
  return new DpcapError('ERR_PERMISSION', `cannot look at the primary ${primary.filePrefix}: ${primary.reason}`, {
    subject: primary.runtimeDir,
    hint: 'run dpcap as the user that runs the DPDK application (mostly root)',
  });
}

function dead(primary: Primary): DpcapError {
  const message = `the primary ${primary.filePrefix} has ended; only its files are left in ${primary.runtimeDir}`;
  return new DpcapError('ERR_PRIMARY_ABSENT', message, {
    subject: primary.filePrefix,
    hint: 'start the DPDK application again',
  });
}

/** For lists in messages: `rte (dpdk-testpmd, pid 4711)`. */
export function describe(primary: Primary): string {
  const about = [primary.process?.program, primary.pid === undefined ? undefined : `pid ${primary.pid}`];
  const known = about.filter((word) => word !== undefined);
  return known.length > 0 ? `${primary.filePrefix} (${known.join(', ')})` : primary.filePrefix;
}
