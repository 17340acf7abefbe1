/** Reads what VFd writes into its log about a mirror: only there it says what the NIC answered. */
import { readdirSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RegularFile, readRegular } from '../../system/safe-file.js';
import type { VfId } from '../controller.js';

const POLL_MS = 20;
/** Bytes of new log to read: more than VFd writes while it adds a VF, even at a high log level. */
const MAX_NEW = 1024 * 1024;

/** unknown: no line came. The log level may be 0, or the log may be elsewhere. */
export type LogVerdict = { state: 'ok' | 'failed'; line: string } | { state: 'unknown' };

/** Remembers where the log ends, to read what comes after. */
export class DaemonLog {
  readonly #dir: string;
  /**
   * The size of each log by inode, not by name: a log that is rotated meanwhile gets another name, and a new one takes
   * its old name.
   */
  readonly #sizes = new Map<string, number>();
  /** Lines that were there at the start. A rotation that copies brings them again, in a file that was not there. */
  readonly #known: ReadonlySet<string>;

  constructor(dir: string) {
    this.#dir = dir;
    const lines = this.#files().flatMap((path) =>
      unlessGone(() => {
        const { stat, bytes } = readTail(path);
        this.#sizes.set(identity(stat), stat.size);
        return bytes.toString('latin1').match(ANY_MIRROR) ?? [];
      }),
    );
    this.#known = new Set(lines);
  }

  /** Returns the last line about the mirror of a VF since this object was made; waits up to `limitMs` for one. */
  async verdict({ pf, vf }: VfId, limitMs: number): Promise<LogVerdict> {
    const about = new RegExp(`set mirror for pf/vf=${pf}/${vf} .*$`);
    const limit = performance.now() + limitMs;
    for (;;) {
      const line = this.#news()
        .flatMap((one) => about.exec(one)?.[0] ?? [])
        .at(-1);
      if (line !== undefined) return { state: / failed: /.test(line) ? 'failed' : 'ok', line };
      if (performance.now() >= limit) return { state: 'unknown' };
      await sleep(POLL_MS);
    }
  }

  /** New lines about any mirror. */
  #news(): string[] {
    return this.#files().flatMap((path) =>
      unlessGone(() => {
        const { stat } = readRegular(path, 0, 0);
        const before = this.#sizes.get(identity(stat));
        // A file that is smaller than before was truncated in place, and all that is in it is new.
        const offset = before !== undefined && before <= stat.size ? before : 0;
        const lines = readRegular(path, offset, MAX_NEW).bytes.toString('latin1').match(ANY_MIRROR) ?? [];
        return before === undefined ? lines.filter((line) => !this.#known.has(line)) : lines;
      }),
    );
  }

  /** Returns regular files only: nothing that is planted there may block dpcap. */
  #files(): string[] {
    try {
      const entries = readdirSync(this.#dir, { withFileTypes: true });
      return entries.flatMap((entry) =>
        entry.isFile() && entry.name.startsWith('vfd.log') ? [join(this.#dir, entry.name)] : [],
      );
    } catch {
      return [];
    }
  }
}

/** A whole line about a mirror. */
const ANY_MIRROR = /^.*set mirror for pf\/vf=.*$/gm;

function readTail(path: string): RegularFile {
  const { stat } = readRegular(path, 0, 0);
  return readRegular(path, Math.max(0, stat.size - MAX_NEW), MAX_NEW);
}

/** Logs are rotated and cleared while they are read. One that can no longer be read counts as empty. */
function unlessGone(read: () => string[]): string[] {
  try {
    return read();
  } catch {
    return [];
  }
}

function identity({ dev, ino }: Stats): string {
  return `${dev}:${ino}`;
}
