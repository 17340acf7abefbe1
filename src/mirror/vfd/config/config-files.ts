/** The files of the configuration procedure: the one in force, its backup, and the one that VFd is to add. */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DpcapError, errnoOf } from '../../../errors.js';
import {
  type FileOwner,
  inFolder,
  makePrivateDir,
  readRegular,
  replaceFile,
  StagedFile,
} from '../../../system/safe-file.js';
import { liveDir } from './vf-config.js';

export class ConfigFiles {
  /** Path of the configuration in force, as VFd knows it. */
  readonly live: string;
  /** Path from which VFd takes a file that it is told to add. */
  readonly waiting: string;
  readonly #configDir: string;
  readonly #file: string;
  #staged: StagedFile | undefined;

  constructor(configDir: string, file: string) {
    this.live = join(liveDir(configDir), file);
    this.waiting = join(configDir, file);
    this.#configDir = configDir;
    this.#file = file;
  }

  /**
   * Reads the configuration in force (latin1) and its owner, as whom VFd runs the VF's callbacks. Undefined when there
   * is none.
   */
  readLive(): { text: string; owner: FileOwner } | undefined {
    if (!existsSync(this.live)) return undefined;
    return system(`read ${this.live}`, this.live, () => {
      const { bytes, stat } = readRegular(this.live);
      const { uid, gid, mode } = stat;
      return { text: bytes.toString('latin1'), owner: { uid, gid, mode: mode & 0o777 } };
    });
  }

  /** Throws when a file waits under the same name: it may be somebody else's. */
  refuseWaiting(): void {
    if (existsSync(this.waiting)) throw this.#inTheWay();
  }

  /** Writes a copy that survives a crash, and returns its path. */
  backUp(text: string, dir: string): string {
    return system(`write a backup into ${dir}`, dir, () => {
      makePrivateDir(dir);
      const stamp = new Date().toISOString().replace(/[:.]/g, '-');
      const path = join(dir, `${this.#file}.${stamp}.${randomBytes(4).toString('hex')}`);
      replaceFile(path, Buffer.from(text, 'latin1'));
      return path;
    });
  }

  /** Writes the file next to its final place, so that putting it there cannot fail for want of room or rights. */
  stage(text: string, owner: FileOwner): void {
    system(`write into ${this.#configDir}`, this.#configDir, () => {
      this.#staged = new StagedFile(this.#configDir, this.#prefix(), Buffer.from(text, 'latin1'), owner);
    });
  }

  /** Puts the staged file where VFd takes it from. */
  place(): void {
    try {
      this.#staged?.publish(this.#file);
    } catch (error) {
      if (errnoOf(error) === 'EEXIST') throw this.#inTheWay();
      throw explain(`write ${this.waiting}`, this.waiting, error);
    }
  }

  /** Removes what an unfinished add has left, and nothing that belongs to anybody else. */
  discard(digests: readonly string[]): void {
    inFolder(this.#configDir, (folder) => {
      const candidates = folder
        .names()
        .filter((name) => name === this.#file || name === `${this.#file}.error` || name.startsWith(this.#prefix()));
      for (const name of candidates) if (holds(join(folder.own(), name), digests)) folder.remove(name);
    });
  }

  /** Prefix of a staged file's name. */
  #prefix(): string {
    return `.${this.#file}.dpcap-`;
  }

  #inTheWay(): DpcapError {
    return new DpcapError('ERR_MIRROR_UNSAFE', `${this.waiting} is in the way`, {
      subject: this.waiting,
      hint: 'another configuration waits there under the same name: move it away first',
    });
  }
}

/** Whether the text of a file has one of these digests. What is not a regular file has none. */
function holds(path: string, digests: readonly string[]): boolean {
  try {
    return digests.includes(digest(readRegular(path).bytes.toString('latin1')));
  } catch {
    return false; // a link, a FIFO, or gone: not a file of dpcap
  }
}

/** A digest tells texts apart without keeping them. */
export function digest(text: string): string {
  return createHash('sha256').update(text, 'latin1').digest('hex');
}

function system<T>(what: string, path: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw explain(what, path, error);
  }
}

function explain(what: string, path: string, error: unknown): DpcapError {
  const errno = errnoOf(error);
  const code = errno === 'EACCES' || errno === 'EPERM' ? 'ERR_PERMISSION' : 'ERR_SYSTEM';
  const why = errno === undefined || errno === 'EPERM' ? `: ${(error as Error).message}` : '';
  return new DpcapError(code, `cannot ${what}${why}`, {
    errno,
    subject: path,
    cause: error,
    hint: "VFd's directories must be visible and writable, and hold no links: run dpcap as root where VFd runs",
  });
}
