/** A memory cgroup, version 1 or 2, in which processes are killed when there is no more of it. */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { uniqueName } from './owned.js';
import { run } from './processes.js';

/** More than is free below the limit. */
const EATEN = '96M';
const LEFT_BYTES = 4 << 20;

const FILES = {
  1: { limit: 'memory.limit_in_bytes', usage: 'memory.usage_in_bytes' },
  2: { limit: 'memory.max', usage: 'memory.current' },
} as const;

function parent(): { dir: string; version: 1 | 2 } | undefined {
  const mounts = readFileSync('/proc/mounts', 'utf8');
  const [, first] = /^\S+ (\S+) cgroup rw\S*,memory\b/m.exec(mounts) ?? [];
  if (first) return { dir: first, version: 1 };
  const [, second] = /^\S+ (\S+) cgroup2 rw/m.exec(mounts) ?? [];
  const isOn = second && readFileSync(join(second, 'cgroup.subtree_control'), 'utf8').split(/\s/).includes('memory');
  return isOn ? { dir: second, version: 2 } : undefined;
}

/** Why there can be none here, or false. */
export const noMemoryCgroup: string | false = !parent() && 'no memory cgroup can be made here';

export class MemoryCgroup {
  readonly #dir: string;
  readonly #files: { limit: string; usage: string };

  /** Only where noMemoryCgroup is false. */
  constructor() {
    const { dir, version } = parent() as NonNullable<ReturnType<typeof parent>>;
    this.#dir = join(dir, uniqueName());
    this.#files = FILES[version];
    mkdirSync(this.#dir);
  }

  /** A command that runs another one in it. */
  get within(): string[] {
    return ['sh', '-c', `echo $$ > ${this.#dir}/cgroup.procs && exec "$@"`, 'sh'];
  }

  /** Leaves so many bytes more than are used now. */
  leave(bytes: number): void {
    const used = Number(readFileSync(join(this.#dir, this.#files.usage), 'utf8'));
    writeFileSync(join(this.#dir, this.#files.limit), String(used + bytes));
  }

  /** Has the kernel kill the largest process in it: a small one takes what is left, and may follow. */
  exhaust(): void {
    this.leave(LEFT_BYTES);
    const [file = '', ...words] = this.within;
    const eat = `head -c ${EATEN} /dev/zero | tail -n 1 > /dev/null || true`;
    run(file, [...words, 'sh', '-c', eat]);
  }

  /** Once its processes have ended. */
  remove(): void {
    if (existsSync(this.#dir)) rmdirSync(this.#dir);
  }
}
