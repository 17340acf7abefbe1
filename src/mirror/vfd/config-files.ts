/** The files of the configuration procedure: the one in force, its backup, and the one VFd is to add. */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DpcapError, errnoOf } from '../../errors.js';
import { liveDir } from './vf-config.js';

/** Who owns a file and who may read it: VFd runs a VF's callbacks as the owner of its file. */
export interface FileOwner {
  uid: number;
  gid: number;
  mode: number;
}

export class ConfigFiles {
  /** In force, as VFd knows it. */
  readonly live: string;
  /** Where VFd takes files from that it is told to add. */
  readonly waiting: string;
  readonly #staged: string;

  constructor(configDir: string, file: string) {
    this.live = join(liveDir(configDir), file);
    this.waiting = join(configDir, file);
    this.#staged = join(configDir, `.${file}.dpcap`);
  }

  /** The configuration in force and its owner; undefined when there is none. latin1. */
  readLive(): { text: string; owner: FileOwner } | undefined {
    if (!existsSync(this.live)) return undefined;
    return system(`read ${this.live}`, this.live, () => {
      const { uid, gid, mode } = statSync(this.live);
      return { text: readFileSync(this.live, 'latin1'), owner: { uid, gid, mode: mode & 0o7777 } };
    });
  }

  /** Somebody else's file may be waiting under the same name. */
  refuseWaiting(): void {
    if (!existsSync(this.waiting)) return;
    throw new DpcapError('ERR_MIRROR_UNSAFE', `${this.waiting} is in the way`, {
      subject: this.waiting,
      hint: 'another configuration waits there under the same name: move it away first',
    });
  }

  /** Keeps a copy that survives a crash; returns where. */
  backUp(text: string, dir: string): string {
    return system(`write a backup into ${dir}`, dir, () => {
      mkdirSync(dir, { recursive: true, mode: 0o700 });
      const stamp = new Date().toISOString().replace(/[:.]/g, '-');
      const path = join(dir, `${this.waiting.split('/').at(-1)}.${stamp}.${process.pid}`);
      writeFileSync(path, text, { encoding: 'latin1', mode: 0o600, flush: true, flag: 'wx' });
      return path;
    });
  }

  /** Writes the file next to where it will go, so that putting it there cannot fail for want of room or rights. */
  stage(text: string, owner: FileOwner): void {
    system(`write ${this.#staged}`, this.#staged, () => {
      writeFileSync(this.#staged, text, { encoding: 'latin1', mode: 0o600, flush: true });
      chownSync(this.#staged, owner.uid, owner.gid);
      chmodSync(this.#staged, owner.mode);
    });
  }

  /** Puts the staged file where VFd will take it from. */
  place(): void {
    system(`write ${this.waiting}`, this.waiting, () => renameSync(this.#staged, this.waiting));
  }

  /** Takes away what an add that was not done left, and nothing of anybody else. */
  discard(digests: readonly string[]): void {
    rmSync(this.#staged, { force: true });
    for (const path of [this.waiting, `${this.waiting}.error`]) {
      if (existsSync(path) && digests.includes(digest(readFileSync(path, 'latin1')))) rmSync(path, { force: true });
    }
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
    const errno = errnoOf(error);
    throw new DpcapError(errno === 'EACCES' || errno === 'EPERM' ? 'ERR_PERMISSION' : 'ERR_SYSTEM', `cannot ${what}`, {
      errno,
      subject: path,
      cause: error,
      hint: "VFd's directories must be visible and writable: run dpcap as root where VFd runs",
    });
  }
}
