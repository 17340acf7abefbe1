/**
 * Finds out where `-w` leads. The supervisor does so, because a name may mean one of its own descriptors, and the user
 * has to be told how the file will be written. The engine opens what is decided here (file.ts, device.ts).
 */
import {
  accessSync,
  closeSync,
  constants,
  lstatSync,
  openSync,
  readFileSync,
  readlinkSync,
  type Stats,
  statSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { DpcapError, UsageError } from '../errors.js';
import { O_PATH } from '../system/safe-file.js';
import { cannotWrite } from './cannot-write.js';
import { descriptorOfLink, isProcessLink } from './descriptor.js';
import { descriptorOutput, terminal } from './descriptor-target.js';
import type { FileOwner, Replaced } from './file-owner.js';
import type { OutputTarget } from './output-target.js';
import { followedName, unfinishedName } from './unfinished.js';

/** The most links that are followed: as many as the kernel follows. */
const MOST_LINKS = 40;

/** How a new file is to be made. */
export interface FileWishes {
  /** The unfinished file gets a name that others can know beforehand: FILE.partial. */
  isFollowed?: boolean;
  /** Whom it is to belong to; default: whoever dpcap runs as. */
  owner?: FileOwner | undefined;
}

/**
 * The output for the name `path` that the user gave. A link is followed, so that it stays and its file is written.
 * @throws UsageError for a directory or a terminal, DpcapError ERR_SINK_OPEN for what must not be written
 */
export function outputTarget(path: string, wishes: FileWishes = {}): OutputTarget {
  try {
    return targetOf(path, wishes);
  } catch (cause) {
    throw cannotWrite(path, cause);
  }
}

function targetOf(path: string, wishes: FileWishes): OutputTarget {
  const found = followLinks(path);
  if ('fd' in found) return descriptorOutput(found.fd, path);
  const { stats } = found;
  if (stats?.isDirectory()) {
    throw new UsageError(`-w: ${path} is a directory`, {
      code: 'ERR_SINK_OPEN',
      subject: path,
      hint: 'give a file name in it',
    });
  }
  if (!stats) return newFile(found.path, wishes);
  return stats.isFile() ? fileTarget(found.path, stats, wishes) : deviceTarget(found.path, stats);
}

/** Whether a name given with -w is that of a regular file, which may not exist yet, and not of a descriptor, pipe or device. */
export function isFileName(path: string): boolean {
  if (descriptorOfLink(path) !== undefined) return false;
  try {
    return statSync(path, { throwIfNoEntry: false })?.isFile() ?? true;
  } catch {
    return true; // why it cannot be looked at is told when it is to be written
  }
}

function newFile(path: string, { isFollowed, owner }: FileWishes, replaced?: Replaced): OutputTarget {
  const unfinished = isFollowed ? followedName(path) : unfinishedName(path);
  const note = isFollowed ? { note: `as ${unfinished} until it is complete` } : {};
  const belongings = { ...(owner ? { owner } : {}), ...(replaced ? { replaced } : {}) };
  return { to: { kind: 'file', path, unfinished, ...belongings }, ...note };
}

function fileTarget(path: string, stats: Stats, wishes: FileWishes): OutputTarget {
  const why = notToReplace(path, stats);
  if (why !== undefined) {
    if (stats.nlink > 1) refusePlanted(path, stats);
    return { to: { kind: 'file', path }, note: `in place, because ${why}` };
  }
  if (isPlanted(path, stats) && process.geteuid?.() !== 0) throw notReplaceable(path, stats);
  return newFile(path, wishes, mayBeTrap(path, stats) ? undefined : asReplaced(stats));
}

/** What a program of the file's owner could do as root is not taken over: setuid, setgid, sticky. */
function asReplaced({ uid, gid, mode }: Stats): Replaced {
  return { uid, gid, mode: mode & 0o777 };
}

/** Whether somebody else may have put the file into a directory for several, so that packets become his, or open to him. */
function mayBeTrap(path: string, { uid }: Stats): boolean {
  const directory = statSync(dirname(path));
  return (directory.mode & 0o022) !== 0 && ![0, process.geteuid?.(), directory.uid, callerOfSudo()].includes(uid);
}

/** Why a file is written in place; undefined when it is replaced. */
function notToReplace(path: string, { nlink }: Stats): string | undefined {
  if (nlink > 1) return 'it has other names (hard links)';
  if (isMountPoint(path)) return 'it is mounted by itself';
  return mayWrite(dirname(path)) ? undefined : 'no file can be made beside it';
}

function mayWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function deviceTarget(path: string, stats: Stats): OutputTarget {
  if (stats.isFIFO()) refusePlanted(path, stats);
  if (isTerminal(stats)) throw terminal(path, `-w ${path}`, 'it is a terminal');
  return { to: { kind: 'device', path } };
}

/**
 * Recognizes a terminal by its major number (Documentation/admin-guide/devices.txt of Linux): to open a device only for
 * a look may have an effect, and the engine has no terminal, so /dev/tty means nothing to it.
 */
function isTerminal(stats: Stats): boolean {
  const major = (stats.rdev >> 8) & 0xfff;
  return stats.isCharacterDevice() && (major === 4 || major === 5 || (major >= 136 && major <= 143));
}

/** Follows the links in the last part of a path; the kernel walks the directories when the file is opened. */
function followLinks(given: string): { path: string; stats: Stats | undefined } | { fd: number } {
  let path = given;
  for (let links = 0; links < MOST_LINKS; links++) {
    const fd = descriptorOfLink(path);
    if (fd !== undefined) return { fd };
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (!stats?.isSymbolicLink()) return { path, stats };
    // The link is another process's: a pipe or a device is opened by this name, and only a file has another one.
    if (isProcessLink(path) && !statSync(path).isFile()) return { path, stats: statSync(path) };
    refusePlanted(path, stats);
    const words = readlinkSync(path);
    path = words.startsWith('/') ? words : `${dirname(path)}/${words}`;
  }
  throw new DpcapError('ERR_SINK_OPEN', `cannot write ${given}: its links lead nowhere`, {
    errno: 'ELOOP',
    subject: given,
    hint: 'give the name of a file',
  });
}

/**
 * Whether another user may have put this link, FIFO or further name of a file where it is, so that dpcap writes through
 * it. Root follows only its own links and those of the caller of sudo, who could name the file as well. For FIFOs, and
 * for users other than root, the kernel's own rule is applied (fs.protected_symlinks, protected_regular,
 * protected_fifos), which is off on many machines.
 */
function isPlanted(path: string, stats: Stats): boolean {
  const directory = statSync(dirname(path));
  const isShared = (directory.mode & 0o022) !== 0;
  const self = process.geteuid?.();
  if (self !== 0 || stats.isFIFO()) {
    return isShared && (directory.mode & 0o1000) !== 0 && ![self, directory.uid].includes(stats.uid);
  }
  const mayLead = (uid: number): boolean => uid === 0 || uid === callerOfSudo();
  // All names of a file have one owner: whoever can change the directory may have made this name.
  return stats.isFile() ? isShared || !mayLead(directory.uid) : !mayLead(stats.uid);
}

/** The user who became root to run this; undefined without one. */
function callerOfSudo(): number | undefined {
  const { SUDO_UID, PKEXEC_UID } = process.env;
  const uid = SUDO_UID ?? PKEXEC_UID;
  return uid === undefined ? undefined : Number(uid);
}

/** @throws DpcapError ERR_SINK_OPEN for a link, FIFO or further name of a file that another user may have put there */
export function refusePlanted(path: string, stats: Stats): void {
  if (!isPlanted(path, stats)) return;
  throw new DpcapError(
    'ERR_SINK_OPEN',
    `cannot write ${path}: another user may have put it there, to lead us elsewhere`,
    {
      errno: 'EACCES',
      subject: path,
      hint: 'remove it, or give the name of what it leads to',
    },
  );
}

function notReplaceable(path: string, { uid }: Stats): DpcapError {
  return new DpcapError('ERR_SINK_OPEN', `cannot replace ${path}: it belongs to user ${uid}`, {
    errno: 'EPERM',
    subject: path,
    hint: 'give another name',
  });
}

/** A mount point cannot be replaced (EBUSY). Device numbers do not tell: a mount may be of the same file system. */
function isMountPoint(path: string): boolean {
  return mountOf(path) !== mountOf(dirname(path));
}

function mountOf(path: string): string | undefined {
  const fd = openSync(path, O_PATH);
  try {
    return /^mnt_id:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1];
  } finally {
    closeSync(fd);
  }
}
