/**
 * Handles files in places where a user with fewer rights may have rights, too. Nothing that such a user can plant (a
 * link, a FIFO, a file of his own, a folder in the place of another) changes what a privileged dpcap reads, writes or
 * removes. All of dpcap's own files except captures are read and written through here.
 */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  type Stats,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { errnoOf } from '../errors.js';

/** O_PATH, which node does not name: a descriptor that only stands for a file, and opens nothing. */
export const O_PATH = 0o10000000;

const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_DIRECTORY } = constants;

/** Who owns a file and who may use it; no set-user-id bits. */
export interface FileOwner {
  uid: number;
  gid: number;
  /** Permission bits, 0 to 0o777. */
  mode: number;
}

/** The most bytes that are read: far more than any file has that is read here. */
const MOST_BYTES = 16 * 1024 * 1024;

/** An open folder. Names in it keep referring to this folder, whatever is put in its place meanwhile. */
export class Folder {
  readonly path: string;
  readonly #fd: number;

  /** @throws the file system's error: ELOOP or ENOTDIR for a link */
  constructor(path: string) {
    this.path = path;
    this.#fd = openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  }

  /** A path that this process can use for a name in the folder; @throws Error for what is no file name */
  at(name: string): string {
    if (name === '' || name === '.' || name === '..' || name.includes('/')) throw new Error(`${name}: not a file name`);
    return `${this.own()}/${name}`;
  }

  /** A path of the folder itself, also for children of this process. */
  own(): string {
    return `/proc/${process.pid}/fd/${this.#fd}`;
  }

  stat(): Stats {
    return fstatSync(this.#fd);
  }

  names(): string[] {
    return readdirSync(this.own());
  }

  /** Removes a file; a link is removed, not what it leads to. */
  remove(name: string): void {
    rmSync(this.at(name), { force: true });
  }

  /** Removes all files, then the folder. A folder with other folders in it stays. */
  removeAll(): void {
    for (const name of this.names()) this.remove(name);
    rmdirSync(this.path);
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** Opens a folder while `act` uses it. @throws the file system's error */
export function inFolder<T>(path: string, act: (folder: Folder) => T): T {
  const folder = new Folder(path);
  try {
    return act(folder);
  } finally {
    folder.close();
  }
}

/** A file that has been written under a name that nobody could know, and does not have its own name yet. */
export class StagedFile {
  readonly #dir: string;
  readonly #name: string;

  /**
   * Writes the file, which is on disk when this returns.
   * @param prefix the beginning of its name, by which leftovers of killed processes are known
   * @throws the file system's error; nothing is left then
   */
  constructor(dir: string, prefix: string, content: Buffer, owner: Partial<FileOwner> = {}) {
    this.#dir = dir;
    this.#name = `${prefix}${randomBytes(8).toString('hex')}`;
    inFolder(dir, (folder) => {
      const fd = openSync(folder.at(this.#name), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
      try {
        writeFileSync(fd, content);
        if (owner.uid !== undefined && owner.gid !== undefined) fchownSync(fd, owner.uid, owner.gid);
        fchmodSync(fd, (owner.mode ?? 0o600) & 0o777);
        fsyncSync(fd);
      } catch (error) {
        folder.remove(this.#name);
        throw error;
      } finally {
        closeSync(fd);
      }
    });
  }

  /** Gives the file its name, in the place of whatever has that name. */
  replace(name: string): void {
    inFolder(this.#dir, (folder) => renameSync(folder.at(this.#name), folder.at(name)));
  }

  /** Gives the file its name. @throws the file system's error: EEXIST when there is something of that name */
  publish(name: string): void {
    inFolder(this.#dir, (folder) => {
      linkSync(folder.at(this.#name), folder.at(name));
      folder.remove(this.#name);
    });
  }

  /** Removes the file. Idempotent. */
  discard(): void {
    inFolder(this.#dir, (folder) => folder.remove(this.#name));
  }
}

/** Writes a file whole or not at all, in the place of whatever has its name. @throws the file system's error */
export function replaceFile(path: string, content: string | Buffer, mode = 0o600): void {
  const name = basename(path);
  const staged = new StagedFile(dirname(path), `.${name}.`, Buffer.from(content as string), { mode });
  try {
    staged.replace(name);
  } catch (error) {
    staged.discard();
    throw error;
  }
}

/** A regular file with what the kernel says about it. */
export interface RegularFile {
  bytes: Buffer;
  stat: Stats;
}

/**
 * Reads a regular file. The last part of its path must not be a link, and a FIFO does not block.
 * @param offset where to begin
 * @throws Error, also for what is no regular file
 */
export function readRegular(path: string, offset = 0, most = MOST_BYTES): RegularFile {
  const fd = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw new Error(`${path} is no regular file`);
    const size = Math.max(0, Math.min(most, stat.size - offset));
    const bytes = Buffer.alloc(size);
    return { bytes: bytes.subarray(0, size === 0 ? 0 : readSync(fd, bytes, 0, size, offset)), stat };
  } finally {
    closeSync(fd);
  }
}

/** Like {@link readRegular}, for a file that only this user, or root, can have written. @throws Error */
export function readTrusted(path: string): string {
  const { bytes, stat } = readRegular(path);
  const fault = faultOf(stat);
  if (fault !== undefined) throw new Error(`${path} ${fault}`);
  return bytes.toString('utf8');
}

/**
 * Makes a folder for this user alone, with the folders above it.
 * @throws Error when it, or a folder above it, lets somebody else change what is in it
 */
export function makePrivateDir(path: string): void {
  requireTrusted(path); // before a folder is made in a place that is somebody else's
  mkdirSync(path, { recursive: true, mode: 0o700 });
  requireTrusted(path);
}

function requireTrusted(dir: string): void {
  const fault = faultOfDir(dir);
  if (fault !== undefined) throw Object.assign(new Error(fault), { code: 'EPERM' });
}

/**
 * Why a user other than this one or root could change what is in a folder, or put another one in its place; undefined
 * when nobody can. For a folder that does not exist, the folders above it count.
 */
export function faultOfDir(path: string): string | undefined {
  let below = '';
  for (let dir = resolve(path); ; dir = dirname(dir)) {
    const stat = lstatSync(dir, { throwIfNoEntry: false });
    const fault = stat && (stat.isSymbolicLink() ? faultOfLink(dir, stat) : faultOf(stat, below !== ''));
    if (fault !== undefined) return `${dir} ${fault}`;
    if (dir === '/') return undefined;
    below = dir;
  }
}

/** Judges `/var/run` and similar links: a link of root or this user is as good as what it leads to. */
function faultOfLink(link: string, { uid }: Stats): string | undefined {
  if (uid !== 0 && uid !== ownUid()) return `is a link of user ${uid}`;
  try {
    return faultOfDir(realpathSync(link));
  } catch (error) {
    return `leads nowhere (${errnoOf(error)})`;
  }
}

/** @param above true for a folder above the one in question: in a sticky one nobody can replace what is others' */
function faultOf({ uid, gid, mode }: Pick<Stats, 'uid' | 'gid' | 'mode'>, above = false): string | undefined {
  if (uid !== 0 && uid !== ownUid()) return `belongs to user ${uid}`;
  const sticky = above && (mode & 0o1000) !== 0;
  if (mode & 0o002 && !sticky) return 'can be written by everybody';
  const ownGroup = gid === 0 || gid === process.getegid?.();
  return mode & 0o020 && !ownGroup && !sticky ? `can be written by group ${gid}` : undefined;
}

function ownUid(): number {
  return process.geteuid?.() ?? 0;
}
