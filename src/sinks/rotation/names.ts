/** The names of files that follow one another, in dumpcap's way and in tcpdump's. Pure. */
import { basename, dirname, extname, join } from 'node:path';
import { withoutSuffix } from '../compression.js';
import type { RotationPlan } from './plan.js';
import { strftime } from './strftime.js';

type Names = Pick<RotationPlan, 'names' | 'ring'>;

/** Names one file after the other. */
export class FileNames {
  readonly #path: string;
  readonly #plan: Names;
  #stem = '';
  #ofStem = 0;

  /** @param path what -w says */
  constructor(path: string, plan: Names) {
    this.#path = path;
    this.#plan = plan;
  }

  /**
   * The name of the next file.
   * @param number the file's, from 1
   * @param begin when it began
   */
  next(number: number, begin: Date): string {
    const { names, ring } = this.#plan;
    if (names.kind === 'numbered') return numbered(this.#path, number, begin);
    if (names.kind === 'counted')
      return `${this.#path}${counted(ring === 0 ? number - 1 : (number - 1) % ring, names)}`;
    const stem = join(dirname(this.#path), strftime(basename(this.#path), begin));
    this.#ofStem = stem === this.#stem ? this.#ofStem + 1 : 0;
    this.#stem = stem;
    return names.isCounted ? `${stem}${counted(this.#ofStem, names)}` : stem;
  }
}

/** `out_00001_20261129040932.pcap`: number, then local time. */
function numbered(path: string, number: number, begin: Date): string {
  return beforeSuffix(path, `_${String(number).padStart(5, '0')}_${strftime('%Y%m%d%H%M%S', begin)}`);
}

/** The name with `words` before what it ends with, such as ".pcapng.zst". */
export function beforeSuffix(path: string, words: string): string {
  const plain = withoutSuffix(path);
  const suffix = extname(plain) + path.slice(plain.length);
  return `${path.slice(0, path.length - suffix.length)}${words}${suffix}`;
}

/** tcpdump gives the first file no number, unless all numbers are to be of the same length. */
function counted(number: number, { digits }: { digits: number }): string {
  return number === 0 && digits === 0 ? '' : String(number).padStart(digits, '0');
}

/** The digits of the greatest number of `files` files, as tcpdump -W has them. */
export function digitsFor(files: number): number {
  return files < 2 ? 0 : String(files - 1).length;
}
