/** What an output is to code that plans, opens and ends captures. Each kind has a file here; registry.ts lists them. */
import type * as z from 'zod/mini';
import { DpcapError } from '../errors.js';
import type { SinkPlan, SinkRemark } from '../native/capture-binding.js';

/** What became of a file when it was finished. */
export interface Published {
  /** Where the packets are; undefined when there is no file. */
  file: string | undefined;
  /** Why the packets are not where they were to be. */
  error?: DpcapError;
}

/**
 * An open output. The descriptors in `sink` are handed to the addon, which closes them. What is asked of a disk is not waited
 * for by the thread that asks: a disk that answers no more must not keep it from ending the capture.
 */
export interface Output {
  sink: SinkPlan;
  /** Takes what was there before away, when packets are about to be written: not before, because until then a start may fail. */
  empty?(): Promise<void>;
  /**
   * Gives the finished file its name: the planned one, or `as`.
   * @param taken what happens when another file has the name; kept: that it is so is the error, with EEXIST
   */
  publish(as?: string, taken?: 'replaced' | 'kept'): Promise<Published>;
  /** Removes the unfinished file. */
  remove(): Promise<void>;
}

/** A pipe, a device or an interface leaves no file behind. */
export const NOTHING_LEFT = {
  publish: async (): Promise<Published> => ({ file: undefined }),
  remove: async (): Promise<void> => {},
};

/** One kind of output. */
export interface Sink<Plan extends { kind: string }> {
  /** What a plan says about the output; each sink has its own literal for `kind`. */
  schema: z.ZodMiniType<Plan>;
  /**
   * Opens the output, in the engine. Refuses what is no longer what it was when it was planned.
   * @param isStopped ends the wait for a reader
   * @returns undefined when that wait was ended
   * @throws DpcapError ERR_SINK_OPEN
   */
  open(output: Plan, isStopped: () => boolean): Promise<Output | undefined> | Output;
  /** Whether it takes single frames and does not store timestamps: copies of a single lane then need none. */
  takesFrames: boolean;
  /** Its name, for people. */
  nameOf(output: Plan): string;
  /** It is written to a path, whose name is nameOf(). */
  hasPath: boolean;
  /** The error of a capture whose output took no more packets. */
  failed(output: Plan, errno: string): DpcapError;
  /** What people should hear of an output that goes on, once for each remark of the addon. */
  news?(output: Plan, what: SinkRemark): string;
  /**
   * What became of the packets in the output when a capture was given up: a part of a sentence.
   * @param finished how many files that follow one another have their name
   */
  abandoned(output: Plan, finished?: number): string;
  /** The same of packets on a disk that may answer no more, and so is not asked. @param finished undefined for a single file */
  unasked?(output: Plan, finished: number | undefined): string;
}

/** The error of an output that bytes are written to. */
export function writeFailed(subject: string, errno: string): DpcapError {
  return new DpcapError('ERR_SINK_WRITE', `the capture ended early: cannot write to ${subject}`, {
    errno,
    subject,
    hint: errno === 'ENOSPC' ? 'make room; what was written until then is a valid file' : 'what was written is kept',
  });
}

/** The error of an interface that is no longer there. */
export function interfaceGone(names: readonly string[], errno: string): DpcapError {
  const subject = [...new Set(names)].join(' or ');
  return new DpcapError('ERR_SINK_WRITE', `the capture ended early: interface ${subject} is gone`, {
    errno,
    subject,
    hint: 'somebody deleted it while packets went to it; start again',
  });
}
