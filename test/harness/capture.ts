/** Captures under test: started, awaited, and taken apart when they have ended. */

import { errorFromRecord, formatError } from '../../src/errors.js';
import type { StatsRecord } from '../../src/supervisor/report/stats-record.js';
import { CAPTURE_DEFAULTS, withDefaults } from './defaults.js';
import { type Finished, type Running, startDpcap } from './processes.js';
import type { Testpmd } from './testpmd.js';

export type { StatsRecord };

/** A primary to capture from. */
export type Joinable = Pick<Testpmd, 'prefix'>;

/** A capture that has ended. */
export interface Captured extends Finished {
  /** Statistics records in the order in which they came. */
  records: StatsRecord[];
  /** The last one, if it is marked as such. */
  final: StatsRecord | undefined;
  /** Standard error without the statistics. */
  messages: string;
}

/** A `dpcap` that captures, with its statistics as NDJSON. */
export class LiveCapture {
  readonly process: Running;

  constructor(process: Running) {
    this.process = process;
  }

  get pid(): number {
    return this.process.pid;
  }

  /** Resolves once packets can flow: with the first statistics record. */
  async started(timeoutMs = 30_000): Promise<this> {
    await this.process.expect(/"elapsed_s"/, { stream: 'stderr', timeoutMs });
    return this;
  }

  /** Resolves with the first record, past or future, in which at least `packets` were written. */
  async written(packets: number, timeoutMs = 30_000): Promise<StatsRecord> {
    const enough = (): StatsRecord | undefined =>
      recordsIn(this.process.stderr).find((record) => record.packets >= packets);
    for (let from = 0; ; from = this.process.stderr.length) {
      const record = enough();
      if (record) return record;
      await this.process.expect(/"elapsed_s".*\n/, { from, stream: 'stderr', timeoutMs });
    }
  }

  /** Resolves with the next record. */
  async next(): Promise<StatsRecord> {
    const options = { from: this.process.stderr.length, stream: 'stderr' } as const;
    const [line] = await this.process.expect(/^\{"time".*$(?=\n)/m, options);
    return JSON.parse(line) as StatsRecord;
  }

  /** Waits for its end. */
  async ended(timeoutMs = 30_000): Promise<Captured> {
    return captured(await this.process.wait(timeoutMs));
  }

  /** Sends a signal and waits for its end. */
  stop(signal: NodeJS.Signals = 'SIGINT', timeoutMs?: number): Promise<Captured> {
    this.process.signal(signal);
    return this.ended(timeoutMs);
  }
}

/** Starts `dpcap --file-prefix ... ARGS`. A small `-B`, so that several fit into the primary's memory; ARGS may differ. */
export function startCapture(testpmd: Joinable, args: string[]): LiveCapture {
  const process = startDpcap(withDefaults({ ...CAPTURE_DEFAULTS, '--file-prefix': testpmd.prefix }, args));
  process.closeStdin();
  return new LiveCapture(process);
}

/** Runs a capture that ends by itself. */
export function capture(testpmd: Joinable, args: string[], timeoutMs?: number): Promise<Captured> {
  return startCapture(testpmd, args).ended(timeoutMs);
}

function captured(finished: Finished): Captured {
  const records = recordsIn(finished.stderr);
  const messages = messagesIn(finished.stderr);
  return { ...finished, records, final: records.find((record) => record.final), messages };
}

/** What standard error tells people: with `--stats ndjson` errors are objects, too. */
export function messagesIn(stderr: string): string {
  const messageIn = (line: string): string[] => {
    if (line.startsWith('{"error"')) return [formatError(errorFromRecord(JSON.parse(line)))];
    return line.startsWith('{') ? [] : [line];
  };
  return stderr.split('\n').flatMap(messageIn).join('\n');
}

/** Complete statistics records in what was written to standard error. */
export function recordsIn(stderr: string): StatsRecord[] {
  return stderr
    .split('\n')
    .slice(0, -1)
    .filter((line) => line.startsWith('{"time"'))
    .map((line) => JSON.parse(line) as StatsRecord);
}
