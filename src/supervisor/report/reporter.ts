/** Who shows a capture to a person or a program. */
import type { StopReason } from '../../protocol/messages.js';
import type { StatsRecord } from './stats-record.js';

/** Where the text goes; a subset of a TTY stream. */
export interface ReportStream {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number | undefined;
}

/** Facts for the start line. */
export interface StartFacts {
  ports: { id: number; name: string }[];
  lanes: { queue: number; direction: 'rx' | 'tx' }[];
  /** "dpdk-testpmd, pid 4711, DPDK 22.11.11" */
  primary: string;
  expression: string;
  /** How the filter treats VLAN tags. */
  reading?: string | undefined;
  /** Notes on parts of the filter that mean something few people intend. */
  notes?: readonly string[] | undefined;
  instructions: number;
  /** The primary could not load the filter. */
  filteringHere?: boolean;
  snaplen: number;
  /** Filter and snaplen of each -i, where they differ. */
  rules?: readonly { port: string; expression: string; snaplen: number }[] | undefined;
  output: string;
  /** The file that is read; undefined for an application. */
  input?: string | undefined;
}

/** Shows one capture. */
export interface Reporter {
  /** Whether progress() is of use: the engine sleeps longer when it is not. */
  readonly wantsProgress: boolean;
  started(facts: StartFacts): void;
  progress(record: StatsRecord): void;
  /** Something that the user should hear while the capture goes on. */
  notice(text: string): void;
  /** Shows the counters now, because somebody asked for them (SIGUSR1). */
  asked(record: StatsRecord): void;
  finished(record: StatsRecord, facts: FinishFacts): void;
}

/** What the summary tells besides the counters. */
export interface FinishFacts {
  reason: StopReason;
  leftBehind: string[];
  /** What else the user should know. */
  notes?: string[];
}
