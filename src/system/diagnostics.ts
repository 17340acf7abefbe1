/**
 * What dpcap has to say besides its results, on standard error. It never ends the job, nor holds it up: what cannot be
 * written at once waits in a little memory, what has no room there is dropped, and that the other end has gone is no error.
 */
import { constants, fstatSync, openSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { isatty } from 'node:tty';
import { errnoOf } from '../errors.js';

/** Bytes that may wait for a reader. */
const MOST_WAITING = 64 * 1024;
const TRY_AGAIN_MS = 20;
/** How long the end of a process waits for a slow reader of its last words. */
const LAST_WORDS_MS = 1000;

export class Diagnostics {
  readonly #fd: number;
  /** What is written to. It does not block, unless it is a file. */
  #out: number | undefined;
  #waiting: Buffer = Buffer.alloc(0);
  #timer: NodeJS.Timeout | undefined;

  constructor(fd = 2) {
    this.#fd = fd;
  }

  get isTTY(): boolean {
    return isatty(this.#fd);
  }

  /** Of a terminal. */
  get columns(): number | undefined {
    return this.isTTY ? process.stderr.columns : undefined;
  }

  /** Whole lines. */
  write(text: string): void {
    const bytes = Buffer.from(text);
    this.#try();
    if (this.#waiting.length > 0 && this.#waiting.length + bytes.length > MOST_WAITING) return;
    this.#waiting = Buffer.concat([this.#waiting, bytes]);
    this.#try();
  }

  /** Writes each line of a stream for which `keep` is true. */
  passOn(stream: NodeJS.ReadableStream, keep: (line: string) => boolean = () => true): void {
    createInterface({ input: stream }).on('line', (line) => {
      if (keep(line)) this.write(`${line}\n`);
    });
  }

  /** Resolves when all is written, or when its reader was given time enough: call it before the process ends. */
  async flushed(limitMs: number = LAST_WORDS_MS): Promise<void> {
    await nextTurn(); // streams hand their last lines over
    for (const end = performance.now() + limitMs; this.#waiting.length > 0 && performance.now() < end; this.#try()) {
      await sleep(TRY_AGAIN_MS);
    }
  }

  #try(): void {
    try {
      while (this.#waiting.length > 0) {
        this.#out ??= open(this.#fd);
        this.#waiting = this.#waiting.subarray(writeSync(this.#out, this.#waiting));
      }
    } catch (error) {
      if (errnoOf(error) === 'EAGAIN') this.#tryLater();
      else this.#waiting = Buffer.alloc(0); // nobody reads it, or there is no room: it can be said to nobody
    }
  }

  #tryLater(): void {
    if (this.#timer) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#try();
    }, TRY_AGAIN_MS).unref();
  }
}

/**
 * Files take what they get. A pipe or a terminal may stand still, so it is opened once more, not to block: the
 * descriptor that we were given is shared with others, whose writes must not fail for it.
 *
 * A socket cannot be opened again, nor can another user's pipe. Node makes them not block, for all who share them; it
 * does not write to them: a write that waits in its Socket kept the process alive after destroy() (Node 20.20.2).
 */
function open(fd: number): number {
  const stats = fstatSync(fd);
  const own = stats.isFIFO() || isatty(fd) ? reopen(fd) : undefined;
  if (own !== undefined) return own;
  if (stats.isSocket() || stats.isFIFO()) new Socket({ fd, readable: false, writable: true }).unref();
  return fd;
}

/**
 * Undefined when it belongs to another user, or is nothing here (a terminal of another container).
 * @throws ENXIO for a FIFO that nobody reads at the moment
 */
function reopen(fd: number): number | undefined {
  const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants;
  try {
    return openSync(`/proc/self/fd/${fd}`, O_WRONLY | O_NONBLOCK | O_NOCTTY);
  } catch (error) {
    if (errnoOf(error) === 'ENXIO' && !isatty(fd)) throw error;
    return undefined;
  }
}

/** Of this process. */
export const diagnostics = new Diagnostics();
