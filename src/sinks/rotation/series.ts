/**
 * The files of one capture, one after the other. The addon decides where one ends and the next begins, and changes to a
 * file that was opened here beforehand; here a finished file gets its name, and a ring gives up its oldest.
 */
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { basename, dirname, extname } from 'node:path';
import { asDpcapError, type DpcapError, errnoOf } from '../../errors.js';
import type { FileTurn } from '../../native/capture-binding.js';
import { cannotWrite } from '../cannot-write.js';
import { openNew } from '../file.js';
import type { FileOwner } from '../file-owner.js';
import type { Output, Published } from '../sink.js';
import { unfinishedSibling } from '../unfinished.js';
import { FileNames } from './names.js';
import type { RotationPlan } from './plan.js';
import { Ring } from './ring.js';
import { freeBytes } from './space.js';

/** What the addon does with files, for one capture: see CaptureBinding. */
export interface FileTaker {
  supplyFile(fd: number): void;
  refuseFile(errno: number): void;
  fileTurns(): FileTurn[];
}

export interface SeriesEvents {
  /** A file is finished and has its name. */
  finished(path: string, bytes: number): void;
  /** Something that people should hear. */
  notice(text: string): void;
}

export class FileSeries {
  readonly #path: string;
  readonly #unfinished: string;
  readonly #owner: FileOwner | undefined;
  readonly #rotation: RotationPlan;
  readonly #names: FileNames;
  readonly #ring: Ring;
  readonly #events: SeriesEvents;
  /** Files that are not finished, by number. */
  readonly #open: Map<number, Output>;
  #taker: FileTaker | undefined;
  #opened = 1;
  #last: string | undefined;
  #error: DpcapError | undefined;

  /**
   * @param path what -w says
   * @param owner whom files are given to
   * @param unfinished the name of the first file until it is finished
   * @param first that file, which the addon has from the start
   */
  constructor(
    { path, unfinished, owner }: { path: string; unfinished: string; owner?: FileOwner | undefined },
    rotation: RotationPlan,
    first: Output,
    events: SeriesEvents,
  ) {
    this.#path = path;
    this.#unfinished = unfinished;
    this.#owner = owner;
    this.#rotation = rotation;
    this.#names = new FileNames(path, rotation);
    this.#ring = new Ring((text) => events.notice(text));
    this.#events = events;
    this.#open = new Map([[1, first]]);
  }

  /** Why there can be no other file, or a finished one has no name. */
  get error(): DpcapError | undefined {
    return this.#error;
  }

  /** The addon has the capture from now on. */
  begin(taker: FileTaker): void {
    this.#taker = taker;
    this.#supply();
    this.turn();
  }

  /** Does what has become necessary; never throws. */
  turn(): void {
    for (const turn of this.#taker?.fileTurns() ?? []) {
      if (turn.isFinished) this.#finish(turn);
      else if (turn.number > 1) this.#begun();
    }
  }

  /** Gives up the oldest files, if this is a ring, until the disk has so much room. Returns whether it has. */
  makeRoom(bytes: number): boolean {
    const directory = dirname(this.#path);
    while (freeBytes(directory) < bytes) {
      if (this.#rotation.ring === 0 || this.#ring.size === 0) return false;
      this.#ring.giveUpOldest();
    }
    return true;
  }

  /** The addon has finished: what is left unfinished was never needed. Returns the last file. */
  end(): Published {
    this.turn();
    for (const output of this.#open.values()) output.remove();
    this.#open.clear();
    return { file: this.#last, ...(this.#error ? { error: this.#error } : {}) };
  }

  #begun(): void {
    if (this.#rotation.ring > 0) this.#ring.shrinkTo(this.#rotation.ring - 1);
    this.#supply();
  }

  #supply(): void {
    if (this.#error) return;
    try {
      const { sink, ...output } = openNew(this.#path, unfinishedSibling(this.#unfinished), this.#owner);
      this.#opened++;
      this.#open.set(this.#opened, { sink, ...output });
      this.#taker?.supplyFile(sink.fd);
    } catch (cause) {
      this.#error = cannotWrite(this.#path, cause);
      this.#taker?.refuseFile(constants.errno[errnoOf(cause) as keyof typeof constants.errno] ?? constants.errno.EIO);
    }
  }

  #finish({ number, bytes, beginNs }: FileTurn): void {
    const output = this.#open.get(number);
    this.#open.delete(number);
    // A file without even a header (the disk was full before it) is not a finished file.
    if (bytes === 0n) output?.remove();
    else if (output) this.#name(output, number, bytes, new Date(Number(beginNs / 1_000_000n)));
  }

  #name(output: Output, number: number, bytes: bigint, begin: Date): void {
    try {
      const { file, error } = output.publish(this.#nameOf(number, begin));
      this.#error ??= error;
      this.#last = file ?? this.#last;
      if (error || file === undefined) return; // it has not got its name, and nobody is told of it as finished
      this.#ring.add(file);
      this.#events.finished(file, Number(bytes));
    } catch (thrown) {
      this.#error ??= asDpcapError(thrown);
    }
  }

  /** A numbered file never takes the place of another: two captures may use the same name in the same second. */
  #nameOf(number: number, begin: Date): string {
    const name = this.#names.next(number, begin);
    if (this.#rotation.names.kind !== 'numbered') return name;
    const suffix = extname(name);
    let free = name;
    for (let more = 2; existsSync(free); more++) {
      free = `${dirname(name)}/${basename(name, suffix)}-${more}${suffix}`;
    }
    return free;
  }
}
