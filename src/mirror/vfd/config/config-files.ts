/** The files of the configuration procedure: the one in force, its backup, and the one VFd is to add. */
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
  /** In force, as VFd knows it. */
  readonly live: string;
  /** Where VFd takes files from that it is told to add. */
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
   * The configuration in force and its owner, as whom VFd runs the VF's callbacks; undefined when there is none. latin1.
   */
  readLive(): { text: string; owner: FileOwner } | undefined {
    if (!existsSync(this.live)) return undefined;
    return system(`read ${this.live}`, this.live, () => {
      const { bytes, stat } = readRegular(this.live);
      const { uid, gid, mode } = stat;
      return { text: bytes.toString('latin1'), owner: { uid, gid, mode: mode & 0o777 } };
    });
  }

  /** Somebody else's file may be waiting under the same name. */
  refuseWaiting(): void {
    if (existsSync(this.waiting)) throw this.#inTheWay();
  }

  /** Keeps a copy that survives a crash; returns where. */
  backUp(text: string, dir: string): string {
    return system(`write a backup into ${dir}`, dir, () => {
      makePrivateDir(dir);
      const stamp = new Date().toISOString().replace(/[:.]/g, '-');
      const path = join(dir, `${this.#file}.${stamp}.${randomBytes(4).toString('hex')}`);
      replaceFile(path, Buffer.from(text, 'latin1'));
      return path;
    });
  }

  /** Writes the file next to where it will go, so that putting it there cannot fail for want of room or rights. */
  stage(text: string, owner: FileOwner): void {
    system(`write into ${this.#configDir}`, this.#configDir, () => {
      this.#staged = new StagedFile(this.#configDir, this.#prefix(), Buffer.from(text, 'latin1'), owner);
    });
  }

  /** Puts the staged file where VFd will take it from. */
  place(): void {
    try {
      this.#staged?.publish(this.#file);
    } catch (error) {
      if (errnoOf(error) === 'EEXIST') throw this.#inTheWay();
      throw explain(`write ${this.waiting}`, this.waiting, error);
    }
  }

  /** Takes away what an add that was not done left, and nothing of anybody else. */
  discard(digests: readonly string[]): void {
    inFolder(this.#configDir, (folder) => {
      const candidates = folder
        .names()
        .filter((name) => name === this.#file || name === `${this.#file}.error` || name.startsWith(this.#prefix()));
      for (const name of candidates) if (holds(join(folder.own(), name), digests)) folder.remove(name);
    });
  }

  /** Of a staged file's name. */
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

/** Whether a file has one of these texts; what is no regular file has none. */
function holds(path: string, digests: readonly string[]): boolean {
  try {
    return digests.includes(digest(readRegular(path).bytes.toString('latin1')));
  } catch {
    return false; // a link, a FIFO, or gone: not ours
  }
}

/** Tells texts apart without keeping them. */
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
