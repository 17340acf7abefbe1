/**
 * The journal: what dpcap has switched on elsewhere and owes to switch off again (a mirror, DPVS's forward2kni). One file
 * an entry in the state directory, so that `dpcap recover` can undo what a killed process could not.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { isRunning, readProcess } from './primary/process.js';

const entrySchema = z.strictObject({
  /** Which undoer understands `undo`, e.g. "vfd-mirror". */
  kind: z.string(),
  /** What was changed, for people. */
  subject: z.string(),
  /** The process that owes the undoing, with its start time: pids are reused. */
  pid: z.int(),
  startTicks: z.number(),
  createdAt: z.string(),
  /** The kind's own facts; its undoer checks them. */
  undo: z.unknown(),
});

export type JournalEntry = z.infer<typeof entrySchema>;

/** An entry on disk. */
export interface OpenEntry {
  entry: JournalEntry;
  /** To be called once the change has been undone for certain. Idempotent. */
  close(): void;
}

/** `$XDG_STATE_HOME/dpcap`, or `/var/lib/dpcap` for root, or `~/.local/state/dpcap`. */
export function stateDir(env: NodeJS.ProcessEnv = process.env, uid = process.geteuid?.() ?? 0): string {
  if (env.XDG_STATE_HOME) return join(env.XDG_STATE_HOME, 'dpcap');
  return uid === 0 ? '/var/lib/dpcap' : join(homedir(), '.local', 'state', 'dpcap');
}

export class Journal {
  readonly #dir: string;

  constructor(dir: string = stateDir()) {
    this.#dir = join(dir, 'journal');
  }

  /**
   * Writes an entry, on disk before it returns: call it before the change is made.
   * @throws the file system's error: a change that cannot be journalled must not be made
   */
  open(kind: string, subject: string, undo: unknown): OpenEntry {
    const startTicks = readProcess(process.pid)?.startTicks ?? 0;
    const entry = { kind, subject, pid: process.pid, startTicks, createdAt: new Date().toISOString(), undo };
    mkdirSync(this.#dir, { recursive: true, mode: 0o700 });
    const path = join(this.#dir, `${process.pid}-${Date.now()}-${Math.random().toString(36).slice(2, 8)}.json`);
    writeFileSync(`${path}.new`, JSON.stringify(entry), { flush: true, mode: 0o600 });
    renameSync(`${path}.new`, path);
    return this.#openEntry(path, entry);
  }

  /** All entries; a file that is none is left alone. */
  list(): OpenEntry[] {
    return this.#names().flatMap((name) => {
      const path = join(this.#dir, name);
      const entry = parseEntry(path);
      return entry ? [this.#openEntry(path, entry)] : [];
    });
  }

  /** Entries whose process is gone: theirs is left to undo. */
  orphans(): OpenEntry[] {
    return this.list().filter(({ entry }) => !isRunning(entry.pid, entry.startTicks));
  }

  #names(): string[] {
    try {
      return readdirSync(this.#dir).filter((name) => name.endsWith('.json'));
    } catch {
      return []; // no journal was ever written
    }
  }

  #openEntry(path: string, entry: JournalEntry): OpenEntry {
    return { entry, close: () => rmSync(path, { force: true }) };
  }
}

function parseEntry(path: string): JournalEntry | undefined {
  try {
    return entrySchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return undefined;
  }
}
