/** How a file is compressed: which ways there are, by what names, and how many threads work at it. Pure. */
import * as z from 'zod/mini';

/**
 * The codecs, with the suffix of a file's name that means each, and the levels of its library. A capture wants speed more
 * than small files, so the default is the fastest level that still finds repetitions.
 */
export const CODECS = {
  gzip: { suffix: '.gz', least: 1, most: 9, usual: 1 },
  zstd: { suffix: '.zst', least: 1, most: 19, usual: 1 },
  lz4: { suffix: '.lz4', least: 1, most: 12, usual: 1 },
} as const;
export type CodecName = keyof typeof CODECS;
export const CODEC_NAMES = Object.keys(CODECS) as CodecName[];

/** A codec and its level. */
export interface CompressionChoice {
  codec: CodecName;
  level: number;
}

/** The most threads that compress. */
const MOST_THREADS = 4;

/** What a plan says of it. */
export const compressionSchema = z.strictObject({
  codec: z.enum(CODEC_NAMES),
  level: z.int().check(z.minimum(1), z.maximum(19)),
  threads: z.int().check(z.minimum(1), z.maximum(MOST_THREADS)),
});
export type CompressionPlan = z.infer<typeof compressionSchema>;

/**
 * The choice as a part of a plan. Half of the CPUs that the capture may use are for compressing.
 * @param cpus how many these are
 */
export function planCompression(choice: CompressionChoice, cpus: number): CompressionPlan {
  return { ...choice, threads: Math.max(1, Math.min(MOST_THREADS, Math.floor(cpus / 2))) };
}

/** What people should hear when more packets come than are compressed in the same time. */
export function tooSlow({ codec, level }: CompressionChoice): string {
  const faster = level > CODECS[codec].least ? `--compress ${codec}:${CODECS[codec].least}, ` : '';
  const other = codec === 'lz4' ? '' : '--compress lz4, ';
  return `more packets come than ${codec}:${level} compresses: the rest is lost, and counted as sinkdrop; ${faster}${other}a filter or -s make it less`;
}

/** The codec that the suffix of a file's name means; undefined for any other name. */
export function codecOf(path: string): CodecName | undefined {
  return CODEC_NAMES.find((name) => path.endsWith(CODECS[name].suffix));
}

/** The name without that suffix. */
export function withoutSuffix(path: string): string {
  const codec = codecOf(path);
  return codec === undefined ? path : path.slice(0, -CODECS[codec].suffix.length);
}
