/** What ends a capture by itself, and the upper limits of what it can be asked for. */
import * as z from 'zod/mini';

/**
 * All conditions that end a capture. The addon counts packets and bytes (native/capture/limit.h), the supervisor the time
 * from the start of the capture (supervisor/capture.ts).
 */
export interface StopConditions {
  /** Exactly so many packets; 0: no limit. */
  packetLimit: number;
  /** The packet that makes the file so large is the last; bytes, 0: no limit. */
  byteLimit: number;
  /** Milliseconds; undefined: no limit. */
  durationMs?: number | undefined;
}

/** The same, as parts of a plan. */
export const stopConditions = {
  packetLimit: z.int().check(z.nonnegative()),
  byteLimit: z.int().check(z.nonnegative()),
  durationMs: z.optional(z.number().check(z.nonnegative())),
};

/** tcpdump's default and largest snaplen, bytes. */
export const MAX_SNAPLEN = 262144;

/**
 * The most drain threads, which the addon also enforces. Each takes 18 MiB of memory when it drains for a file, and a
 * little CPU time when no packets come.
 */
export const MAX_THREADS = 8;

/** What an option of pcapng, such as a comment, holds; a longer one would be cut off. Bytes. */
export const MOST_COMMENT_BYTES = 65_532;
