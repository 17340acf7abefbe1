/** A change that must not outlive this process: journalled before it is made, undone at the end, however that comes. */
import { Journal, type OpenEntry } from '../system/journal.js';
import { startWatchdog } from '../watchdog/start.js';
import { JOURNAL_KIND, undoMirror } from './undo.js';

export class Custody {
  readonly #journal: Journal;
  readonly #watch: typeof startWatchdog;
  #entry: OpenEntry | undefined;
  #watchdog: { stop(): void } | undefined;

  constructor(journal: Journal = new Journal(), watch: typeof startWatchdog = startWatchdog) {
    this.#journal = journal;
    this.#watch = watch;
  }

  /**
   * To be called before the change.
   * @throws the file system's error: then the change must not be made
   */
  take(subject: string, undo: unknown): void {
    this.#entry = this.#journal.open(JOURNAL_KIND, subject, undo);
    this.#watchdog = this.#watch();
  }

  /** The change stays: nothing is owed any more. */
  keep(): void {
    this.#entry?.close();
    this.#entry = undefined;
    this.#watchdog?.stop();
  }

  /**
   * Undoes the change, if there is one. Safe to repeat.
   * @returns what was done, for people; undefined when nothing was owed
   * @throws DpcapError when it is not undone; the journal keeps the entry for `dpcap recover`
   */
  async giveBack(): Promise<string | undefined> {
    if (!this.#entry) return undefined;
    const done = await undoMirror(this.#entry);
    this.keep();
    return done;
  }
}
