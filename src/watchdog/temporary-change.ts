/**
 * A change elsewhere (a mirror, DPVS's forward2kni) that must not outlive this process. It is journalled before it is made,
 * and undone at the end, however that comes: by this process, by the watchdog when this process was killed, or by
 * `dpcap recover` when both were.
 */
import { Journal, type OpenEntry } from '../system/journal.js';
import { startWatchdog } from './start.js';

/** What kind of change it is, and how it is undone. */
export interface ChangeKind {
  /** The name of the kind in the journal. undoers.ts lists all. */
  readonly name: string;
  /**
   * Undoes a change by the facts in its entry. It is safe to repeat.
   * @returns what was done, for people
   * @throws DpcapError when it is not undone, or nobody can tell whether it is
   */
  undo(open: OpenEntry): Promise<string>;
}

export class TemporaryChange {
  readonly #kind: ChangeKind;
  readonly #journal: Journal;
  readonly #watch: typeof startWatchdog;
  #entry: OpenEntry | undefined;
  #watchdog: { stop(): void } | undefined;

  constructor(kind: ChangeKind, journal: Journal = new Journal(), watch: typeof startWatchdog = startWatchdog) {
    this.#kind = kind;
    this.#journal = journal;
    this.#watch = watch;
  }

  /**
   * Call this before the change is made.
   * @throws the file system's error; the change must not be made then
   */
  begin(subject: string, undo: unknown): void {
    this.#entry = this.#journal.open(this.#kind.name, subject, undo);
    this.#watchdog = this.#watch();
  }

  /** Lets the change stay, or notes that it was not made: nothing has to be undone any more. */
  keep(): void {
    this.#entry?.close();
    this.#entry = undefined;
    this.#watchdog?.stop();
  }

  /**
   * Undoes the change, if there is one. It is safe to repeat.
   * @returns what was done, for people; undefined when there was nothing to undo
   * @throws DpcapError when it is not undone; the journal keeps the entry for `dpcap recover`
   */
  async undo(): Promise<string | undefined> {
    if (!this.#entry) return undefined;
    const done = await this.#kind.undo(this.#entry);
    this.keep();
    return done;
  }
}
