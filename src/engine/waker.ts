/** A pause that somebody else can end. */
import { setTimeout as sleep } from 'node:timers/promises';

export class Waker {
  #current = new AbortController();

  /** Ends the pause; where nobody pauses there is nothing to end. */
  wake(): void {
    this.#current.abort();
  }

  /** Waits for `ms` at most. */
  async pause(ms: number): Promise<void> {
    this.#current = new AbortController();
    await sleep(ms, undefined, { signal: this.#current.signal }).catch(() => undefined); // aborted: woken
  }
}
