/** The reporter of `--stats ndjson`: one object a line. docs/statistics.md lists the fields. */
import ndjson from 'ndjson';
import type { Reporter, ReportStream } from './reporter.js';
import type { StatsRecord } from './stats-record.js';

export class NdjsonReporter implements Reporter {
  readonly wantsProgress = true;
  readonly #lines = ndjson.stringify();

  constructor(stream: ReportStream) {
    this.#lines.on('data', (line: string) => stream.write(line));
  }

  started(): void {}

  progress(record: StatsRecord): void {
    this.#lines.write(record);
  }

  notice(text: string): void {
    this.#lines.write({ notice: text });
  }

  asked(record: StatsRecord): void {
    this.#lines.write(record);
  }

  finished(record: StatsRecord): void {
    this.#lines.write(record);
  }
}
