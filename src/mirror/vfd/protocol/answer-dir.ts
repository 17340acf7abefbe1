/**
 * A private directory for response FIFOs. It is next to VFd's request FIFO, where VFd can see it, also from a
 * container. It is removed when this process ends, however that happens: the next process removes what a killed one
 * left.
 */
import { execFileSync } from 'node:child_process';
import { closeSync, constants, fstatSync, mkdtempSync, openSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DpcapError, errnoOf } from '../../../errors.js';
import { lifeOf, ownIdentity } from '../../../system/process-life.js';
import { Folder, inFolder } from '../../../system/safe-file.js';
import { onEndingSignal } from '../../../system/signals.js';

const PREFIX = '.dpcap-answers-';
/** Pid, start time and PID namespace of the process that made it. */
const OURS = /^\.dpcap-answers-(\d+)-(\d+)-(\d+)-/;

export class AnswerDir {
  readonly #folder: Folder;
  #isRemoved = false;
  readonly #onExit = (): void => this.remove();
  /** Where nothing else handles the signal, it does what it would have done without this listener. */
  readonly #onSignal = (signal: NodeJS.Signals): void => {
    if (process.listenerCount(signal) > 1) return;
    this.remove();
    process.kill(process.pid, signal);
  };
  readonly #forget: () => void;
  #next = 0;

  /**
   * @param requestFifo FIFO whose directory is used; when that is not writable, the one for temporary files is
   * @throws DpcapError ERR_PERMISSION
   */
  constructor(requestFifo: string) {
    const beside = dirname(requestFifo);
    sweep(beside);
    this.#folder = makeDir([beside, tmpdir()]);
    process.once('exit', this.#onExit);
    this.#forget = onEndingSignal(this.#onSignal);
  }

  /**
   * Makes a FIFO and opens it for reading, because VFd drops an answer whose FIFO nobody reads.
   * @throws DpcapError ERR_SYSTEM
   */
  createFifo(): { path: string; fd: number; close(): void } {
    const name = `answer.${this.#next++}`;
    const path = join(this.#folder.path, name);
    try {
      // Made inside the open folder, and opened without following a link: what somebody puts in its place meanwhile is
      // neither written nor read.
      execFileSync('mkfifo', ['-m', '600', name], { cwd: this.#folder.own(), stdio: ['ignore', 'ignore', 'pipe'] });
      const fd = openSync(this.#folder.at(name), constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
      if (!fstatSync(fd).isFIFO()) throw new Error('somebody has put something else there');
      return { path, fd, close: () => [closeSync(fd), this.#folder.remove(name)] };
    } catch (error) {
      throw new DpcapError('ERR_SYSTEM', `cannot make a FIFO for VFd's answer at ${path}`, {
        cause: error,
        errno: errnoOf(error),
        subject: path,
        hint: 'mkfifo of the coreutils is needed, and a file system that has FIFOs',
      });
    }
  }

  /** Idempotent. */
  remove(): void {
    process.off('exit', this.#onExit);
    this.#forget();
    if (this.#isRemoved) return;
    this.#isRemoved = true;
    try {
      this.#folder.removeAll();
    } catch {
      // Somebody has moved it or put a folder into it: what is there now does not belong to dpcap.
    }
    this.#folder.close();
  }
}

/** @throws DpcapError ERR_PERMISSION */
function makeDir(parents: readonly string[]): Folder {
  const { pid, startTicks, pidNamespace } = ownIdentity();
  const name = `${PREFIX}${pid}-${startTicks}-${pidNamespace}-`;
  let failure: unknown;
  for (const parent of parents) {
    try {
      const folder = new Folder(mkdtempSync(join(parent, name))); // 0700
      if (isOurs(folder)) return folder;
      folder.close();
      throw new Error('somebody has put another folder in its place');
    } catch (error) {
      failure = error;
    }
  }
  throw new DpcapError('ERR_PERMISSION', `cannot make a directory for VFd's answers in ${parents.join(' or ')}`, {
    cause: failure,
    errno: errnoOf(failure),
    hint: 'run dpcap as root',
  });
}

/** Whether the folder is made by this user and closed to all others. */
function isOurs(folder: Folder): boolean {
  const { uid, mode } = folder.stat();
  return uid === process.geteuid?.() && (mode & 0o077) === 0;
}

/** Removes the directories that killed processes of this user left. */
function sweep(parent: string): void {
  for (const name of namesIn(parent)) {
    const [pid, startTicks, pidNamespace] = (OURS.exec(name) ?? []).slice(1).map(Number);
    if (pid === undefined || startTicks === undefined || pidNamespace === undefined) continue;
    if (lifeOf({ pid, startTicks, pidNamespace }) !== 'gone') continue;
    try {
      inFolder(join(parent, name), (folder) => isOurs(folder) && folder.removeAll());
    } catch {
      // It is no folder, or another user's, or holds something that dpcap did not make: it must not be cleaned.
    }
  }
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return []; // this user may not read it
  }
}
