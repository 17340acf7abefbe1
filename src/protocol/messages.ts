/** The messages between supervisor and engine, over Node's IPC channel with structured clone (bigint survives). */

import type { ErrorRecord } from '../errors.js';
import type { Dpdk } from '../native/addons.js';
import type { LanePlan, LaneStats } from '../native/capture-binding.js';
import type { SectionName } from './critical-sections.js';
import type { EnginePlan } from './plan.js';

/** Messages to the engine. An engine may have several captures of its primary; `capture` is the number of one. */
export type ToEngine =
  | { type: 'capture'; capture: number; plan: EnginePlan }
  | { type: 'recover'; target: RecoverTarget }
  | { type: 'stop'; capture: number; reason: StopReason }
  /** Makes the engine leave everything where it is and end, as soon as no critical section is under way. */
  | { type: 'abandon' }
  /** Asks for the statistics of this moment. The engine answers only while packets flow. */
  | { type: 'report'; capture: number }
  /** What was captured until now goes to the output, without waiting for more. */
  | { type: 'flush'; capture: number };

/** The primary that `recover` clears. */
export interface RecoverTarget {
  filePrefix: string;
  runtimeDir: string;
  primaryPid?: number | undefined;
  primaryStartTicks?: number | undefined;
  dpdk: Dpdk;
  isDpvs?: boolean | undefined;
}

/** Why a capture ended. */
export type StopReason =
  | 'signal'
  /** Stopped by the code that started it. */
  | 'stopped'
  | 'packets'
  | 'filesize'
  | 'files'
  | 'duration'
  | 'reader closed'
  /** The file that was read has no more packets. */
  | 'end of file'
  | 'primary gone'
  | 'ports gone'
  /** Probes were taken out of an application that did not keep up with them. */
  | 'application busy'
  | 'sink failed'
  /** The disk has less room than it was to keep. */
  | 'disk space'
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
  /** See NativeStats. */
  pollNs: number;
}

/** One of a capture's files, finished. */
export interface FinishedFile {
  path: string;
  bytes: number;
}

/** Reports what was done to the primary on behalf of dead captures. */
export interface RecoverReport {
  cleared: { name: string; pid: number; purpose: string; lanes: number }[];
  inDoubt: { name: string; lanes: string[] }[];
  running: { name: string; pid: number; purpose: string }[];
}

/** Messages from the engine, which ends when its last capture is done. */
export type FromEngine =
  | { type: 'ready' }
  | {
      type: 'started';
      capture: number;
      lanes: LanePlan[];
      ports: { id: number; name: string }[];
      mbufs: number;
      instructions: number;
      filteringHere: boolean;
      /** See NativeStats. */
      pollNs: number;
    }
  /** `asked` marks the answer to `report`. */
  | { type: 'stats'; capture: number; stats: StatsMessage; asked?: boolean }
  | {
      type: 'done';
      capture: number;
      reason: StopReason;
      stats: StatsMessage | undefined;
      error: ErrorRecord | undefined;
      /** What had to be left in the primary, as text. */
      leftBehind: string[];
      /** The finished file, when there is one. */
      file: string | undefined;
    }
  /** Packets are copied no more. What has been copied is still on its way to the output. */
  | { type: 'disabled'; capture: number }
  /** One of several files is finished and has its name. */
  | { type: 'file'; capture: number; file: FinishedFile }
  | { type: 'recovered'; report: RecoverReport; error: ErrorRecord | undefined }
  /** The critical section that the engine is in from now on, if any: it must not be killed inside. */
  | { type: 'section'; name: SectionName | undefined }
  /** Something that the user should hear while the capture goes on. */
  | { type: 'notice'; capture: number; text: string }
  | { type: 'log'; capture: number; text: string };

/** The text for a primary whose threads cannot be seen, so that none is known to be outside the callbacks. */
export const BLIND = 'the threads of the primary cannot be seen from this PID namespace';
