/** How packets are to be printed, in tcpdump's words, whichever program prints them. */
import * as z from 'zod/mini';

/** It crosses a process boundary as JSON, to the printer of our own. */
export const displaySchema = z.strictObject({
  /** tcpdump's letters without a value, and how often each was given: `{ t: 4, e: 1 }`. */
  letters: z.record(z.string(), z.int().check(z.positive())),
  /** tcpdump's letters with a value: `{ T: 'vxlan' }`. */
  values: z.record(z.string(), z.string()),
  /** tcpdump's options that have no letter: `lengths`. */
  names: z.array(z.string()),
  /** Whether to print all nine digits of a second; tcpdump's default is six. */
  nano: z.boolean(),
});

export type Display = z.infer<typeof displaySchema>;

/** One line a packet, and nothing special. */
export const PLAIN_DISPLAY: Readonly<Display> = { letters: {}, values: {}, names: [], nano: false };
