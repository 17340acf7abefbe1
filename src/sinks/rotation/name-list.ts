/**
 * Where -b printname has the names of finished files written, a line each. Nobody waits for its reader: what cannot be
 * written at once waits in a little memory, and what has no room there is left out, which is told once.
 */
import { closeSync, constants, fchownSync, fstatSync, ftruncateSync, openSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { DpcapError, errnoOf } from '../../errors.js';
import { Diagnostics, diagnostics } from '../../system/diagnostics.js';
import { O_PATH } from '../../system/safe-file.js';
import { descriptorOfLink } from '../descriptor.js';
import { writableDescriptor } from '../descriptor-target.js';
import { type FileOwner, mayMakeFiles } from '../file-owner.js';
import { refusePlanted } from '../file-target.js';

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_DIRECTORY } = constants;
const STDOUT = 1;

export class NameList {
  readonly #to: Diagnostics;
  /** The descriptor that was opened for it. */
  readonly #own: number | undefined;

  /**
   * @param name a file, a descriptor's name, - or stderr
   * @param owner whom a new file is given to
   * @param lost told once, why names are left out
   * @throws DpcapError ERR_SINK_OPEN
   */
  constructor(name: string, owner: FileOwner | undefined, lost: (why: string) => void) {
    const fd = name === '-' ? STDOUT : descriptorOfLink(name);
    if (fd !== undefined) writableDescriptor(fd, name);
    else if (name !== 'stderr') this.#own = openList(name, owner);
    let isTold = false;
    const tell = (why: string): void => {
      if (!isTold) lost(why);
      isTold = true;
    };
    const to = fd ?? this.#own;
    this.#to = to === undefined ? diagnostics : new Diagnostics(to, tell);
  }

  add(path: string): void {
    this.#to.write(`${path}\n`);
  }

  /** Waits a little for a reader that is slow. */
  async end(): Promise<void> {
    await this.#to.flushed();
    if (this.#own !== undefined) closeSync(this.#own);
  }
}

/**
 * As dumpcap does, it begins the file anew. A link is not followed, nor is a name written through that another user may have
 * put there. A FIFO must have a reader.
 */
function openList(name: string, owner: FileOwner | undefined): number {
  let directory: number | undefined;
  try {
    directory = openSync(dirname(name), O_PATH | O_DIRECTORY);
    return openIn(directory, name, owner);
  } catch (cause) {
    if (cause instanceof DpcapError) throw cause;
    throw new DpcapError('ERR_SINK_OPEN', `-b printname: cannot write ${name}`, {
      cause,
      errno: errnoOf(cause),
      subject: name,
      hint: 'choose a directory that exists and that you may write to',
    });
  } finally {
    if (directory !== undefined) closeSync(directory);
  }
}

/** The directory is held, so that nobody can exchange it between the look at it and the file that is given away there. */
function openIn(directory: number, name: string, owner: FileOwner | undefined): number {
  const held = `/proc/self/fd/${directory}/${basename(name)}`;
  const flags = O_WRONLY | O_NOFOLLOW | O_NONBLOCK;
  const made = openNew(held, flags | O_CREAT | O_EXCL);
  if (made !== undefined) {
    if (owner && mayMakeFiles(fstatSync(directory), owner)) give(made, owner);
    return made;
  }
  const fd = openSync(held, flags);
  try {
    const stats = fstatSync(fd);
    if (stats.isFIFO() || stats.nlink > 1) refusePlanted(name, stats);
    if (stats.isFile()) ftruncateSync(fd);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** A list that stays root's is no reason not to capture. */
function give(fd: number, { uid, gid }: FileOwner): void {
  try {
    fchownSync(fd, uid, gid);
  } catch {}
}

/** Undefined when there is something by that name. */
function openNew(path: string, flags: number): number | undefined {
  try {
    return openSync(path, flags, 0o640);
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return undefined;
    throw error;
  }
}
