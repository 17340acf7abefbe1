/** The finished files of a capture that may be given up again: the oldest first, and only files that it made itself. */
import { fileOf, removeFile } from '../disk.js';

interface RingFile {
  path: string;
  dev: number;
  ino: number;
}

export class Ring {
  readonly #files: RingFile[] = [];
  readonly #notice: (text: string) => void;

  /** @param notice tells people of a file that was left where it is */
  constructor(notice: (text: string) => void) {
    this.#notice = notice;
  }

  /** How many files there are. */
  get size(): number {
    return this.#files.length;
  }

  /** Adds a finished file. Where it took the place of an older one, that is no more. */
  async add(path: string): Promise<void> {
    const same = this.#files.findIndex((file) => file.path === path);
    if (same >= 0) this.#files.splice(same, 1);
    const there = await fileOf(path);
    if (there) this.#files.push({ path, dev: there.dev, ino: there.ino });
  }

  /** Removes the oldest files until there are no more than `files`. */
  async shrinkTo(files: number): Promise<void> {
    while (this.#files.length > files) await this.giveUpOldest();
  }

  /** Removes the oldest file. Somebody else's file of that name stays, and one that is gone already is no loss. */
  async giveUpOldest(): Promise<void> {
    const oldest = this.#files.shift();
    if (!oldest) return;
    const { path, dev, ino } = oldest;
    try {
      const there = await fileOf(path);
      if (!there) return;
      if (there.dev === dev && there.ino === ino) await removeFile(path);
      else this.#notice(`left ${path} alone: it is not the file that this capture made`);
    } catch (error) {
      this.#notice(`cannot remove ${path}: ${(error as Error).message}`);
    }
  }
}
