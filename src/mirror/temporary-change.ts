/**
 * A change that must not outlive this process. It is journalled before it is made, and undone at the end, however that
 * comes.
 */
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
   * Call this before the change is made.
   * @throws the file system's error; the change must not be made then
   */
  take(subject: string, undo: unknown): void {
    this.#entry = this.#journal.open(JOURNAL_KIND, subject, undo);
    this.#watchdog = this.#watch();
  }

  /** Lets the change stay: nothing has to be undone any more. */
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
  async giveBack(): Promise<string | undefined> {
    if (!this.#entry) return undefined;
    const done = await undoMirror(this.#entry);
    this.keep();
    return done;
  }
}
