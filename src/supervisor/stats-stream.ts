/** Statistics records for a reader with its own pace: as many wait as are of use, and older ones are dropped. */
import type { StatsRecord } from './report/stats-record.js';

/** The most records that wait for the reader. */
const MOST_WAITING = 60;

export class StatsStream implements AsyncIterable<StatsRecord> {
  #waiting: StatsRecord[] = [];
  #isEnded = false;
  #wake: () => void = () => {};
  last: StatsRecord | undefined;

  push(record: StatsRecord): void {
    this.last = record;
    this.#waiting.push(record);
    if (this.#waiting.length > MOST_WAITING) this.#waiting.shift();
    this.#wake();
  }

  /** Ends the stream: no more records will come. */
  end(): void {
    this.#isEnded = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<StatsRecord, void, undefined> {
    while (true) {
      const record = this.#waiting.shift();
      if (record) yield record;
      else if (this.#isEnded) return;
      else await this.#more();
    }
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
