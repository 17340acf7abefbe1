/**
 * --min-free: asks a disk for its room while a capture writes to it, the more often the less room there is. Where nothing can
 * be removed, the addon asks as well, before it writes: this is about what others write there.
 */
import { asDpcapError } from '../errors.js';
import type { CaptureEnd } from './capture-end.js';

/** Time between two questions: a disk far from its limit is asked seldom, one at its limit without a rest for it. */
const [LEAST_PAUSE_MS, MOST_PAUSE_MS] = [10, 500];
/** A capture of two queues at 64 bytes wrote 0.8 GB a second into memory (tmpfs); nothing here writes twice as much. */
const FASTEST_BYTES_PER_MS = 1.6e6;

/** Milliseconds until the disk has to be asked again, when it has `spare` bytes more than have to stay free. */
export function pauseMs(spare: number): number {
  return Math.min(Math.max(Math.floor(spare / FASTEST_BYTES_PER_MS), LEAST_PAUSE_MS), MOST_PAUSE_MS);
}

export class DiskRoom {
  readonly #minFree: number;
  readonly #free: () => Promise<number>;
  readonly #ends: (end: CaptureEnd) => void;
  #isStopped = false;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param minFree bytes that have to stay free
   * @param free resolves with the bytes that are, after what could be removed has been; it may never resolve
   * @param ends called once at most, when there is too little room, or it cannot be asked for
   */
  constructor(minFree: number, free: () => Promise<number>, ends: (end: CaptureEnd) => void) {
    this.#minFree = minFree;
    this.#free = free;
    this.#ends = ends;
  }

  begin(): void {
    void this.#ask();
  }

  /** Asks no more, and does not wait for an answer. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  async #ask(): Promise<void> {
    const spare = await this.#spare();
    if (this.#isStopped) return;
    if (typeof spare === 'number') this.#timer = setTimeout(() => void this.#ask(), pauseMs(spare));
    else this.#ends(spare);
  }

  async #spare(): Promise<number | CaptureEnd> {
    try {
      const spare = (await this.#free()) - this.#minFree;
      return spare < 0 ? { reason: 'disk space' } : spare;
    } catch (thrown) {
      return { reason: 'sink failed', error: asDpcapError(thrown) };
    }
  }
}
