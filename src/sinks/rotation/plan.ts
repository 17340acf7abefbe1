/** What a plan says about files that follow one another. It holds only JSON values. */
import * as z from 'zod/mini';

const count = z.int().check(z.nonnegative());

/** dumpcap's limit: the number in a name has five digits. */
export const MOST_FILES = 99_999;

export const rotationSchema = z.strictObject({
  /** What ends a file; 0 stands for no limit. The packet that reaches so many bytes is the file's last. */
  bytes: count,
  packets: count,
  /** Milliseconds since the file began. */
  durationMs: count,
  /** The clock passes a multiple of so many milliseconds since 1970. */
  intervalMs: count,
  /** The capture ends with this file; 0: it goes on. */
  mostFiles: count.check(z.maximum(MOST_FILES)),
  /** So many files are kept; 0: all are. */
  ring: count.check(z.maximum(MOST_FILES)),
  /**
   * How files are named. numbered: dumpcap's way, out_00001_20261129040932.pcap. counted: tcpdump's -C, out.pcap,
   * out.pcap1, out.pcap2, or with `digits` out.pcap00, out.pcap01. timed: its -G, the name is a format of strftime; with
   * `isCounted` followed by a number that begins anew with each name.
   */
  names: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('numbered') }),
    z.strictObject({ kind: z.literal('counted'), digits: count }),
    z.strictObject({ kind: z.literal('timed'), isCounted: z.boolean(), digits: count }),
  ]),
  /** Where the name of each finished file is written, a line each: a path, or - or stderr. */
  printName: z.optional(z.string()),
  /** The program that is run for each finished file, with its name. */
  command: z.optional(z.string()),
});

export type RotationPlan = Readonly<z.infer<typeof rotationSchema>>;
