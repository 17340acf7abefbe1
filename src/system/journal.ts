/**
 * The journal lists what dpcap has switched on elsewhere and has to switch off again (a mirror, DPVS's forward2kni).
 * Each entry is a file in the state directory, so that `dpcap recover` can undo what a killed process could not.
 */
import { randomBytes } from 'node:crypto';
import { readdirSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { DpcapError, errnoOf } from '../errors.js';
import { lifeOf, ownIdentity } from './process-life.js';
import { faultOfDir, makePrivateDir, readTrusted, replaceFile } from './safe-file.js';

const entrySchema = z.strictObject({
  /** Which undoer understands `undo`, e.g. "vfd-mirror". */
  kind: z.string(),
  /** What was changed, for people. */
  subject: z.string(),
  /** The process that has to undo it, with start time and PID namespace: pids are reused, in each namespace. */
  pid: z.int(),
  startTicks: z.number(),
  pidNamespace: z.number(),
  createdAt: z.string(),
  /** Facts that depend on the kind; its undoer checks them. */
  undo: z.unknown(),
});

export type JournalEntry = z.infer<typeof entrySchema>;

/** An entry on disk. */
export interface OpenEntry {
  entry: JournalEntry;
  /** Stores something that was learnt while undoing, for the next attempt. */
  amend(undo: unknown): void;
  /** To be called once the change has been undone for certain. Idempotent. */
  close(): void;
}

/** A file that is no entry of dpcap, or an entry whose owner cannot be seen. It is left alone, and the user is told. */
export interface RefusedEntry {
  path: string;
  why: string;
}

/**
 * `$XDG_STATE_HOME/dpcap`, or `/var/lib/dpcap` for root, or `~/.local/state/dpcap`. What lies there is carried out
 * later with this user's rights, so root does not take a folder that somebody else can change (the variable came
 * through `sudo -E`).
 */
export function stateDir(env: NodeJS.ProcessEnv = process.env, uid = process.geteuid?.() ?? 0): string {
  // A relative path is not valid (XDG Base Directory Specification): each process would have another journal.
  const named = env.XDG_STATE_HOME?.startsWith('/') ? join(env.XDG_STATE_HOME, 'dpcap') : undefined;
  if (named !== undefined && (uid !== 0 || faultOfDir(named) === undefined)) return named;
  return uid === 0 ? '/var/lib/dpcap' : join(homedir(), '.local', 'state', 'dpcap');
}

export class Journal {
  readonly #dir: string;

  constructor(dir: string = stateDir()) {
    this.#dir = join(dir, 'journal');
  }

  /**
   * Writes an entry, which is on disk when this returns: call it before the change is made.
   * @throws the file system's error: a change that cannot be journalled must not be made
   */
  open(kind: string, subject: string, undo: unknown): OpenEntry {
    const entry = { kind, subject, ...ownIdentity(), createdAt: new Date().toISOString(), undo };
    makePrivateDir(this.#dir);
    const path = join(this.#dir, `${process.pid}-${randomBytes(6).toString('hex')}.json`);
    replaceFile(path, JSON.stringify(entry));
    return openEntry(path, entry);
  }

  /** All entries. A file that is no entry, or that somebody else may have written, is left alone. */
  list(): OpenEntry[] {
    return this.#read().flatMap((one) => ('entry' in one ? [one] : []));
  }

  /** Entries whose process is gone, so that somebody else has to undo them. */
  orphans(): OpenEntry[] {
    return this.list().filter(({ entry }) => lifeOf(entry) === 'gone');
  }

  /** Files and entries that {@link orphans} cannot judge, and why. */
  refused(): RefusedEntry[] {
    return this.#read().flatMap((one) => {
      if ('why' in one) return [one];
      const { pid, pidNamespace } = one.entry;
      if (lifeOf(one.entry) !== 'unknown') return [];
      return [
        {
          path: one.path,
          why: `its process, ${pid} in the PID namespace pid:[${pidNamespace}], cannot be seen from here`,
        },
      ];
    });
  }

  #read(): ((OpenEntry & { path: string }) | RefusedEntry)[] {
    return this.#names().map((name) => {
      const path = join(this.#dir, name);
      try {
        return { path, ...openEntry(path, readEntry(path)) };
      } catch (error) {
        return { path, why: (error as Error).message };
      }
    });
  }

  /** @throws Error when somebody else can write there */
  #names(): string[] {
    try {
      const fault = faultOfDir(this.#dir);
      if (fault !== undefined)
        throw new DpcapError('ERR_PERMISSION', `the journal is not trusted: ${fault}`, {
          subject: this.#dir,
          hint: 'look at what is in it, then remove it or make it yours alone',
        });
      return readdirSync(this.#dir)
        .filter((name) => name.endsWith('.json'))
        .sort();
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return []; // no journal was ever written
      throw error;
    }
  }
}

function openEntry(path: string, entry: JournalEntry): OpenEntry {
  return {
    entry,
    amend: (undo) => replaceFile(path, JSON.stringify({ ...entry, undo })),
    close: () => rmSync(path, { force: true }),
  };
}

/** @throws Error whose message says why it cannot be read */
function readEntry(path: string): JournalEntry {
  const { data } = entrySchema.safeParse(parsed(readTrusted(path)));
  if (data === undefined) throw new Error('it is no entry of this version of dpcap');
  return data;
}

/** The value of a JSON text; undefined when it is none. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
