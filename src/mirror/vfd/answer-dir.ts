/**
 * A private directory for response FIFOs, next to VFd's request FIFO (where VFd, in a container too, can see it) and gone
 * when this process is, however it ends: a killed one's is removed by the next.
 */
import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DpcapError, errnoOf } from '../../errors.js';
import { isRunning, readProcess } from '../../primary/process.js';
import { endingSignals } from '../../signals.js';

const PREFIX = '.dpcap-answers-';
const OURS = /^\.dpcap-answers-(\d+)-(\d+)-/;

export class AnswerDir {
  readonly #path: string;
  readonly #onExit = (): void => this.remove();
  /** Where nobody else handles the signal, it does what it would have done without us. */
  readonly #onSignal = (signal: NodeJS.Signals): void => {
    if (process.listenerCount(signal) > 1) return;
    this.remove();
    process.kill(process.pid, signal);
  };
  #next = 0;

  /**
   * @param requestFifo whose directory to use; when that is not writable, the one for temporary files
   * @throws DpcapError ERR_PERMISSION
   */
  constructor(requestFifo: string) {
    const beside = dirname(requestFifo);
    sweep(beside);
    this.#path = makeDir([beside, tmpdir()]);
    process.once('exit', this.#onExit);
    for (const signal of endingSignals()) process.on(signal, this.#onSignal);
  }

  /**
   * A new FIFO, open for reading: VFd drops an answer whose FIFO nobody reads.
   * @throws DpcapError ERR_SYSTEM
   */
  createFifo(): { path: string; fd: number; close(): void } {
    const path = join(this.#path, `answer.${this.#next++}`);
    try {
      execFileSync('mkfifo', ['-m', '600', path], { stdio: ['ignore', 'ignore', 'pipe'] });
      const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
      return { path, fd, close: () => [closeSync(fd), rmSync(path, { force: true })] };
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
    for (const signal of endingSignals()) process.off(signal, this.#onSignal);
    rmSync(this.#path, { recursive: true, force: true });
  }
}

function makeDir(parents: readonly string[]): string {
  const name = `${PREFIX}${process.pid}-${readProcess(process.pid)?.startTicks ?? 0}-`;
  let failure: unknown;
  for (const parent of parents) {
    try {
      return mkdtempSync(join(parent, name)); // 0700
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

/** Removes what killed processes left. */
function sweep(parent: string): void {
  try {
    for (const name of readdirSync(parent)) {
      const [, pid, ticks] = OURS.exec(name) ?? [];
      if (pid === undefined || isRunning(Number(pid), Number(ticks))) continue;
      rmSync(join(parent, name), { recursive: true, force: true });
    }
  } catch {
    // another user's, or a directory we may not read: not ours to clean
  }
}
