/** What VFd writes into its log about a mirror: the only place where it says what the NIC answered. */
import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { VfId } from '../controller.js';

const POLL_MS = 20;
/** More than VFd writes while it adds a VF, even at a high log level. */
const MAX_NEW = 1024 * 1024;

/** unknown: no line came; the log level may be 0, or the log elsewhere. */
export type LogVerdict = { state: 'ok' | 'failed'; line: string } | { state: 'unknown' };

/** Remembers where the log ends, to read what comes after. */
export class DaemonLog {
  readonly #dir: string;
  readonly #sizes: Map<string, number>;

  constructor(dir: string) {
    this.#dir = dir;
    this.#sizes = new Map(this.#files().map((path) => [path, statSync(path).size]));
  }

  /** The last line about the mirror of a VF since this object was made; waits for one for a while. */
  async verdict({ pf, vf }: VfId, limitMs: number): Promise<LogVerdict> {
    const about = new RegExp(`set mirror for pf/vf=${pf}/${vf} .*$`, 'gm');
    const limit = performance.now() + limitMs;
    for (;;) {
      const line = [...this.#news().matchAll(about)].at(-1)?.[0];
      if (line !== undefined) return { state: / failed: /.test(line) ? 'failed' : 'ok', line };
      if (performance.now() >= limit) return { state: 'unknown' };
      await sleep(POLL_MS);
    }
  }

  #news(): string {
    return this.#files()
      .map((path) => readFrom(path, this.#sizes.get(path) ?? 0))
      .join('\n');
  }

  #files(): string[] {
    try {
      const names = readdirSync(this.#dir).filter((name) => name.startsWith('vfd.log'));
      return names.map((name) => join(this.#dir, name));
    } catch {
      return [];
    }
  }
}

function readFrom(path: string, offset: number): string {
  const fd = openSync(path, 'r');
  try {
    const buffer = Buffer.alloc(MAX_NEW);
    return buffer.subarray(0, readSync(fd, buffer, 0, MAX_NEW, offset)).toString('latin1');
  } finally {
    closeSync(fd);
  }
}
