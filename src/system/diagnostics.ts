/**
 * Messages of dpcap besides its results, on standard error. They never end the job, nor hold it up: what cannot be
 * written at once waits in a little memory, what has no room there is dropped, and it is no error when the reader has
 * gone.
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
/** How long a process waits at its end for a slow reader of its last messages. */
const LAST_WORDS_MS = 1000;

export class Diagnostics {
  readonly #fd: number;
  readonly #lost: (why: string) => void;
  /** The descriptor that is written to. It does not block, unless it is a file. */
  #out: number | undefined;
  #waiting: Buffer = Buffer.alloc(0);
  #timer: NodeJS.Timeout | undefined;

  /** @param lost told why something was dropped */
  constructor(fd = 2, lost: (why: string) => void = () => {}) {
    this.#fd = fd;
    this.#lost = lost;
  }

  get isTTY(): boolean {
    return isatty(this.#fd);
  }

  /** The width of a terminal. */
  get columns(): number | undefined {
    return this.isTTY ? process.stderr.columns : undefined;
  }

  /** Writes `text`, which has to be whole lines. */
  write(text: string): void {
    const bytes = Buffer.from(text);
    this.#try();
    if (this.#waiting.length > 0 && this.#waiting.length + bytes.length > MOST_WAITING) {
      this.#lost('its reader is too slow');
      return;
    }
    this.#waiting = Buffer.concat([this.#waiting, bytes]);
    this.#try();
  }

  /** Writes each line of a stream for which `keep` is true. */
  passOn(stream: NodeJS.ReadableStream, keep: (line: string) => boolean = () => true): void {
    createInterface({ input: stream }).on('line', (line) => {
      if (keep(line)) this.write(`${line}\n`);
    });
  }

  /** Resolves when all is written, or when the reader has had enough time: call it before the process ends. */
  async flushed(limitMs: number = LAST_WORDS_MS): Promise<void> {
    await nextTurn(); // streams now pass on their last lines
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
      if (errnoOf(error) === 'EAGAIN') {
        this.#tryLater();
        return;
      }
      this.#waiting = Buffer.alloc(0); // nobody reads it, or there is no room
      this.#lost((error as Error).message);
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
 * Files take what they get. A pipe or a terminal may stall, so it is opened once more, without blocking: the inherited
 * descriptor is shared with other processes, whose writes must not fail because of this.
 *
 * A socket cannot be opened again, nor can another user's pipe. Node makes them not block, for all who share them, but
 * does not write to them: a write that waited in Node's Socket kept the process alive after destroy() (Node 20.20.2).
 */
function open(fd: number): number {
  const stats = fstatSync(fd);
  const own = stats.isFIFO() || isatty(fd) ? reopen(fd) : undefined;
  if (own !== undefined) return own;
  if (stats.isSocket() || stats.isFIFO()) new Socket({ fd, readable: false, writable: true }).unref();
  return fd;
}

/**
 * Opens a descriptor once more. Undefined when it is another user's, or does not exist here (a terminal of another
 * container).
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

/** The diagnostics of this process. */
export const diagnostics = new Diagnostics();
