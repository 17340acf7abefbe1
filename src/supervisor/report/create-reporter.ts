/** The reporter that the options ask for. */
import type { Reporter, ReportStream } from './reporter.js';
import { TextReporter } from './text.js';

/** The reporter that `--stats` and `--quiet` ask for. */
export async function createReporter(
  style: 'text' | 'ndjson' | 'none',
  quiet: boolean,
  stream: ReportStream,
): Promise<Reporter> {
  if (style === 'ndjson') return new (await import('./ndjson.js')).NdjsonReporter(stream);
  if (style === 'none') return silent(stream);
  return new TextReporter(stream, !quiet && stream.isTTY === true);
}

/** It says what happens, and figures when somebody asks for them. */
const silent = (stream: ReportStream): Reporter => ({
  wantsProgress: false,
  started: () => {},
  progress: () => {},
  asked: (record) => new TextReporter(stream, false).asked(record),
  notice: (text) => stream.write(`dpcap: ${text}\n`),
  finished: () => {},
});
