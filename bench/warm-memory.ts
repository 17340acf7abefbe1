/** Memory for files that has been touched: the first touch is slower than everything that is measured. */
import { closeSync, ftruncateSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';

/** What is freed there serves files in memory and the page cache of a disk alike. */
const MEMORY = '/dev/shm';
const CHUNK = Buffer.alloc(256 * 1024);
/** So much is free ahead of what is being written. */
const AHEAD_BYTES = 5e8;
/** So much is left to everybody else. */
const LEFT_BYTES = 1e9;
/** Giving much free at once would hold up what runs on the same core. */
const STEP_BYTES = 3.2e7;
const LOOK_MS = 10;

/** Bytes that may be written into memory here, with some left for those who write. */
export function memoryToSpare(): number {
  const [, kib] = /^MemAvailable: *(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8')) ?? [];
  return Number(kib) * 1024 - LEFT_BYTES;
}

/**
 * Held in a file of its own until somebody else writes: a virtual machine may give what is free back to its host, and
 * the next touch of it is a first one again.
 */
export class WarmMemory {
  readonly #path: string;
  readonly #fd: number;
  #left: number;

  /** @throws Error when this machine does not have so much */
  constructor(bytes: number) {
    const spare = memoryToSpare();
    if (bytes > spare) throw new Error(`${gigabytes(bytes)} of memory are needed, and ${gigabytes(spare)} are free`);
    this.#path = `${MEMORY}/dpcap-bench-${process.pid}.warm`;
    this.#fd = openSync(this.#path, 'w');
    for (this.#left = 0; this.#left < bytes; this.#left += CHUNK.length) writeSync(this.#fd, CHUNK);
  }

  /** Gives memory free as the file of `bytes()` grows. @returns a function that ends it and frees the rest */
  follow(bytes: () => number): () => void {
    const start = bytes();
    const whole = this.#left;
    const look = (): void => {
      const wanted = Math.max(0, whole - AHEAD_BYTES - (bytes() - start));
      if (wanted >= this.#left) return;
      this.#left = Math.max(wanted, this.#left - STEP_BYTES);
      ftruncateSync(this.#fd, this.#left);
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

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;
