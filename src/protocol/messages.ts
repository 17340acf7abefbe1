/** What supervisor and engine say to each other, over Node's IPC channel with structured clone (bigint survives). */

import type { ErrorRecord } from '../errors.js';
import type { LanePlan, LaneStats } from '../native/capture-binding.js';
import type { SectionName } from './critical-sections.js';
import type { EnginePlan } from './plan.js';

/** To the engine. */
export type ToEngine =
  | { type: 'capture'; plan: EnginePlan }
  | { type: 'recover'; target: RecoverTarget }
  | { type: 'stop'; reason: StopReason }
  /** Leave everything where it is and end, as soon as no critical section is under way. */
  | { type: 'abandon' }
  /** To be answered with the statistics of this moment, once packets flow. */
  | { type: 'report' };

/** Where `recover` goes. */
export interface RecoverTarget {
  filePrefix: string;
  runtimeDir: string;
  primaryPid?: number | undefined;
  primaryStartTicks?: number | undefined;
  isDpvs?: boolean | undefined;
}

/** Why a capture ended. */
export type StopReason =
  | 'signal'
  /** By whoever started it. */
  | 'stopped'
  | 'packets'
  | 'filesize'
  | 'duration'
  | 'reader closed'
  | 'primary gone'
  | 'ports gone'
  | 'sink failed'
  | 'supervisor gone'
  | 'error';

/** Counters at one moment. */
export interface StatsMessage {
  lanes: LaneStats[];
  /** Bytes that reached the file. */
  fileBytes: bigint;
  /** How often the system clock was set since the capture began, and by how much in all. */
  clockSteps: number;
  clockSetNs: bigint;
  mbufs: number;
  mbufsFree: number;
}

/** Says what was done to the primary on behalf of dead captures. */
export interface RecoverReport {
  cleared: { name: string; pid: number; purpose: string; targets: number }[];
  inDoubt: { name: string; targets: string[] }[];
  running: { name: string; pid: number; purpose: string }[];
}

/** From the engine. */
export type FromEngine =
  | { type: 'ready' }
  | {
      type: 'started';
      lanes: LanePlan[];
      ports: { id: number; name: string }[];
      mbufs: number;
      instructions: number;
      filteringHere: boolean;
    }
  /** `asked`: the answer to `report`. */
  | { type: 'stats'; stats: StatsMessage; asked?: boolean }
  | {
      type: 'done';
      reason: StopReason;
      stats: StatsMessage | undefined;
      error: ErrorRecord | undefined;
      /** What had to be left in the primary, as text. */
      leftBehind: string[];
      /** The finished file, when there is one. */
      file: string | undefined;
    }
  | { type: 'recovered'; report: RecoverReport; error: ErrorRecord | undefined }
  /** The engine enters a critical section, or leaves the last one: it must not be killed inside. */
  | { type: 'section'; name: SectionName | undefined }
  /** Something that the user should hear while the capture goes on. */
  | { type: 'notice'; text: string }
  | { type: 'log'; text: string };

/** What to say where no thread can be seen, and so none is known to be outside. */
export const BLIND = 'the threads of the primary cannot be seen from this PID namespace';
