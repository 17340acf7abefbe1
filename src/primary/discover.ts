/** Finds the primaries of this machine by their files, without joining any. */
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { DpcapError, errnoOf } from '../errors.js';
import { type ProcessInfo, readProcess } from '../system/process.js';
import { readRegular } from '../system/safe-file.js';
import { CONFIG_HEAD_SIZE, type ConfigHead, type DpdkVersion, parseConfig } from './config-file.js';
import { type ConfigHolder, closedPrimaries, configHolders } from './elsewhere.js';
import type { Host } from './host.js';
import { currentUid, DEFAULT_PREFIX } from './runtime-dir.js';
import { answeringSockets } from './telemetry.js';

/**
 * running: it is alive and initialised. starting: it is alive, but rte_eal_init() has not finished. dead: only its
 * files are left. unreadable: this user may not look at it.
 */
export type PrimaryState = 'running' | 'starting' | 'dead' | 'unreadable';

/** One primary, or what is left of one. */
export interface Primary {
  filePrefix: string;
  runtimeDir: string;
  state: PrimaryState;
  /** False for a primary that keeps its configuration to itself (`--in-memory`, `--no-shconf`): nobody can join it. */
  shared: boolean;
  /** Undefined when the primary is dead, or is in a PID namespace that cannot be seen from here. */
  pid: number | undefined;
  /** Undefined when {@link pid} is undefined, or when the process ended during the search. */
  process: ProcessInfo | undefined;
  version: DpdkVersion | undefined;
  /** Why the primary is unreadable. */
  reason: string | undefined;
  /** Undefined for a primary under the runtime root to which dpcap's own environment leads. */
  elsewhere?: Elsewhere | undefined;
}

/** Why a primary's files are not in the runtime root that is searched first. */
export interface Elsewhere {
  /** The variable that put them there, such as "RUNTIME_DIRECTORY=/run/app"; undefined when it cannot be told. */
  variable: string | undefined;
  /** The files are in another mount namespace: nobody can join the primary from here. */
  isHidden: boolean;
}

/**
 * Whether the primary belongs to a user with fewer rights than dpcap has. To join a primary is to trust its memory, so
 * such a primary is joined only when dpcap's user names it, and nothing that the primary names is opened.
 */
export function isForeign({ elsewhere, process: owner }: Primary, uid = currentUid()): boolean {
  return elsewhere !== undefined && owner?.uid !== undefined && owner.uid !== 0 && owner.uid !== uid;
}

/**
 * Finds all primaries under a runtime root, sorted by file prefix, then those that processes hold elsewhere.
 * @param root see runtimeRoot()
 * @throws DpcapError ERR_PERMISSION when this user may not read `root`
 */
export function findPrimaries(root: string, host: Host): Primary[] {
  const here = prefixesIn(root).flatMap((prefix) => lookAt(prefix, join(root, prefix), host));
  if (!host.searchesProcesses) return here;
  const known = new Set(here.flatMap(({ pid }) => pid ?? []));
  const held = configHolders(host.procDir, known).flatMap((holder) => lookElsewhere(holder, host));
  return [...here, ...held, ...closedPrimaries(host.procDir, known).map((pid) => closed(pid, host))];
}

function lookElsewhere({ pid, runtimeDir, seenAt, isHidden, variable }: ConfigHolder, host: Host): Primary[] {
  try {
    const head = readConfig(join(seenAt, 'config'));
    if (!head) return []; // the primary has ended meanwhile
    const primary = living(basename(runtimeDir), runtimeDir, head, pid, host);
    return [{ ...primary, elsewhere: { variable, isHidden } }];
  } catch {
    return []; // the primary has ended meanwhile
  }
}

/** Describes a primary of another user: only its process and its command line can be seen. */
function closed(pid: number, host: Host): Primary {
  const info = readProcess(pid, host.procDir);
  const filePrefix = prefixOf(info?.commandLine ?? []);
  const reason = `it runs (${[info?.program, `pid ${pid}`].filter(Boolean).join(', ')}), but belongs to ${info?.user ?? 'another user'}`;
  const elsewhere = { variable: undefined, isHidden: false };
  return { ...blank(filePrefix, ''), state: 'unreadable', pid, process: info, reason, elsewhere };
}

/** The file prefix that EAL's option gives, in the two forms in which getopt_long takes a value. */
function prefixOf(words: readonly string[]): string {
  for (const [i, word] of words.entries()) {
    if (word === '--file-prefix') return words[i + 1] ?? DEFAULT_PREFIX;
    if (word.startsWith('--file-prefix=')) return word.slice('--file-prefix='.length);
  }
  return DEFAULT_PREFIX;
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
    // The files of a dead primary do not prevent an --in-memory primary from using the same directory.
    const unshared = unsharedPrimaries(filePrefix, runtimeDir, host);
    if (unshared.length > 0 || !head) return unshared;
    return [{ ...blank(filePrefix, runtimeDir), state: 'dead', version: head.version }];
  } catch (error) {
    return [{ ...blank(filePrefix, runtimeDir), state: 'unreadable', reason: (error as Error).message }];
  }
}

/** Returns undefined when there is no such file. A FIFO in its place does not block the reader. */
function readConfig(path: string): ConfigHead | undefined {
  try {
    return parseConfig(readRegular(path, 0, CONFIG_HEAD_SIZE).bytes);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
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

/** Whether a process of the primary is alive. */
export function isAlive(primary: Primary): boolean {
  return primary.state === 'running' || primary.state === 'starting';
}
