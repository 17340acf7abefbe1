/** The options of a capture that a program starts, as values. */
import * as z from 'zod/mini';
import { MAX_THREADS } from '../protocol/limits.js';
import { snaplenSchema } from '../protocol/port-rules.js';
import { BACKENDS } from '../protocol/request.js';
import { CODEC_NAMES } from '../sinks/compression.js';
import { MOST_FILES } from '../sinks/rotation/plan.js';

const count = z.int().check(z.nonnegative());
const positive = z.int().check(z.positive());
const files = positive.check(z.maximum(MOST_FILES));

/** Files that follow one another: what begins the next one, whichever comes first, and how many there are. */
const rotationSchema = z.strictObject({
  /** -b filesize: the packet that makes a file so large is its last. */
  bytes: z.optional(positive),
  /** -b packets */
  packets: z.optional(positive),
  /** -b duration: a file ends when it is so old. */
  durationMs: z.optional(positive),
  /** -b interval: a file ends when the clock passes a multiple of it. */
  intervalMs: z.optional(positive),
  /** -b files: so many files are kept, the present one included. Default: all. */
  ring: z.optional(files),
  /** -a files: the capture ends with this file. Default: it goes on. */
  mostFiles: z.optional(files),
});

export const optionsSchema = z.strictObject({
  /** The file prefix of the primary. Default: the only primary that runs. */
  filePrefix: z.optional(z.string()),
  /**
   * Port ids, device names, or "any"; an object for a port that has a snaplen of its own, or a filter beside the one for
   * all. Default: the first port.
   */
  ports: z.optional(
    z.array(
      z.union([
        z.string(),
        z.strictObject({ port: z.string(), filter: z.optional(z.string()), snaplen: z.optional(snaplenSchema) }),
      ]),
    ),
  ),
  directions: z.optional(z.array(z.enum(['rx', 'tx'])).check(z.minLength(1))),
  /** Default: all queues. */
  queues: z.optional(z.array(count)),
  /** A pcap-filter expression. */
  filter: z.optional(z.string()),
  /**
   * A file's path; a descriptor of this process, which the caller keeps; or a tunnel to a collector, such as
   * erspan://192.0.2.9?id=5 (docs/tunnels.md). Left out with `packets`.
   */
  to: z.optional(
    z.union([
      z.strictObject({ file: z.string() }),
      z.strictObject({ fd: count }),
      z.strictObject({ tunnel: z.string() }),
    ]),
  ),
  /**
   * In place of `to`: packets come to this program, as Capture.packets. At most so many bytes of records wait for it; what
   * comes then is lost, and counted as sinkdrop. Default: 16 MiB.
   */
  packets: z.optional(
    z.union([z.literal(true), z.strictObject({ memoryBytes: z.int().check(z.minimum(2 ** 20), z.maximum(2 ** 32)) })]),
  ),
  /** Default: pcapng for a file with that suffix, else pcap. */
  format: z.optional(z.enum(['pcap', 'pcapng'])),
  /** How the file is compressed. Default: by its suffix, else not at all. */
  compress: z.optional(z.strictObject({ codec: z.enum(CODEC_NAMES), level: z.optional(z.int().check(z.minimum(1))) })),
  /** Files that follow one another, named as with dumpcap's -b (docs/rotation.md). Default: one file. */
  rotation: z.optional(rotationSchema),
  /** --min-free: a ring gives up its oldest files, else the capture ends, when the disk has less room. */
  minFreeBytes: z.optional(positive),
  /** --capture-comment: what a pcapng file says of itself, beside what dpcap says. */
  comments: z.optional(z.array(z.string())),
  /** Whether timestamps are in nanoseconds. Default: true. */
  nanoseconds: z.optional(z.boolean()),
  /**
   * Where timestamps are taken. stamped: where packets are handled (the default); plain: on arrival here, which is
   * cheaper for the primary.
   */
  mode: z.optional(z.enum(['stamped', 'plain'])),
  /** Bytes of a packet to keep. */
  snaplen: z.optional(snaplenSchema),
  /** The capture ends after exactly this many packets; 0 means no limit. */
  packetLimit: z.optional(count),
  /** The capture ends when the file has this many bytes; 0 means no limit. */
  byteLimit: z.optional(count),
  /** The capture ends after this many milliseconds of capturing. */
  durationMs: z.optional(positive),
  /** Bytes of memory for copies, in the primary's huge pages. */
  bufferBytes: z.optional(z.int().check(z.minimum(2 ** 21))),
  /** The number of drain threads. */
  threads: z.optional(z.int().check(z.minimum(1), z.maximum(MAX_THREADS))),
  /** The interval between two records of `stats`, milliseconds. Default: 1000. */
  statsIntervalMs: z.optional(z.int().check(z.minimum(100))),
  trustMempools: z.optional(z.boolean()),
  via: z.optional(z.enum(BACKENDS)),
  /** With `via: 'ebpf'`: share of full receive calls, percent, above which the probes are taken out; 100: never. */
  probeBudget: z.optional(z.int().check(z.minimum(1), z.maximum(100))),
  /** Ends the capture as stop() does. Aborted beforehand: nothing is started, and its reason is thrown. */
  signal: z.optional(z.instanceof(AbortSignal)),
  /** Called with each line that the command line would print of what happens meanwhile: a port went, memory is short. */
  onNotice: z.optional(z.custom<(text: string) => void>((value) => typeof value === 'function')),
});

/** What to capture, and where packets go. */
export type CaptureOptions = z.infer<typeof optionsSchema>;
