/** Memory for files that has been touched: the first touch is slower than everything that is measured. */
import { closeSync, ftruncateSync, openSync, rmSync, writeSync } from 'node:fs';

const CHUNK = Buffer.alloc(256 * 1024);
/** So much is free ahead of what is being written. */
const AHEAD_BYTES = 5e8;
const LOOK_MS = 10;

/**
 * Held in a file of its own until somebody else writes: a virtual machine may give what is free back to its host, and
 * the next touch of it is a first one again.
 */
export class WarmMemory {
  readonly #path: string;
  readonly #fd: number;
  #left: number;

  constructor(directory: string, bytes: number) {
    this.#path = `${directory}/dpcap-bench-${process.pid}.warm`;
    this.#fd = openSync(this.#path, 'w');
    for (this.#left = 0; this.#left < bytes; this.#left += CHUNK.length) writeSync(this.#fd, CHUNK);
  }

  /** Gives memory free as the file of `bytes()` grows. @returns a function that ends it and frees the rest */
  follow(bytes: () => number): () => void {
    const start = bytes();
    const look = (): void => {
      const free = bytes() - start + AHEAD_BYTES;
      if (this.#left > 0) ftruncateSync(this.#fd, Math.max(0, this.#left - free));
    };
    look();
    const timer = setInterval(look, LOOK_MS);
    return () => clearInterval(timer);
  }

  free(): void {
    closeSync(this.#fd);
    rmSync(this.#path);
  }
}
