/**
 * `--print` beside `-w`: reads the file while it grows, and passes it on to the program that prints. So the file never waits
 * for the printing, however slow that is, and holds the same packets as without it.
 */
import { once } from 'node:events';
import { type FileHandle, open } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

/** Time between two looks at a file that did not grow: lines come as fast as anybody reads. */
const LOOK_MS = 20;
const CHUNK_BYTES = 256 * 1024;

/** Follows one file. */
export class Follower {
  readonly #to: Writable;
  #isComplete = false;
  #following: Promise<void> | undefined;

  /** @param to the input of the program that prints; it is ended with the file */
  constructor(to: Writable) {
    this.#to = to;
    // The program may end before its input does (`| head`). The capture goes on without it.
    to.on('error', () => {});
  }

  /** Begins with the file at `path`, which is there by now. It may be renamed later. */
  start(path: string): void {
    this.#following = this.#follow(path);
    this.#following.catch(() => undefined); // finish() tells
  }

  /** The file grows no more. Resolves when all of it was passed on, or nobody takes it. */
  async finish(): Promise<void> {
    this.#isComplete = true;
    await this.#following;
    await new Promise<void>((resolve) => {
      if (this.#to.destroyed) return resolve();
      this.#to.once('close', resolve);
      this.#to.end(resolve);
    });
  }

  async #follow(path: string): Promise<void> {
    const file = await open(path);
    try {
      await this.#passOn(file);
    } finally {
      await file.close();
    }
  }

  async #passOn(file: FileHandle): Promise<void> {
    const buffer = Buffer.alloc(CHUNK_BYTES);
    for (let at = 0; !this.#to.destroyed; ) {
      const wasComplete = this.#isComplete; // asked before the file, which may be written in between
      const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
      at += bytesRead;
      if (bytesRead > 0) await this.#write(buffer.subarray(0, bytesRead));
      else if (wasComplete) return;
      else await sleep(LOOK_MS);
    }
  }

  /** Resolves when the buffer may be used again, also when nobody takes its bytes any more. */
  async #write(bytes: Buffer): Promise<void> {
    const written = new AbortController();
    const ended = once(this.#to, 'close', { signal: written.signal }).catch(() => undefined);
    const taken = new Promise<void>((resolve) => {
      this.#to.write(bytes, () => resolve());
    });
    await Promise.race([taken, ended]);
    written.abort();
  }
}
