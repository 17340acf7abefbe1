/**
 * The files of one capture, one after the other. The addon decides where one ends and the next begins, and changes to a
 * file that was opened here beforehand; here a finished file gets its name, and a ring gives up its oldest. One thing is
 * asked of the disk at a time, and nobody but what comes behind it waits for the answer.
 */
import { constants } from 'node:os';
import { dirname } from 'node:path';
import { asDpcapError, type DpcapError, errnoOf } from '../../errors.js';
import type { FileTurn } from '../../native/capture-binding.js';
import { cannotWrite } from '../cannot-write.js';
import { freeBytes } from '../disk.js';
import { openNew } from '../file.js';
import type { FileOwner } from '../file-owner.js';
import type { Output, Published } from '../sink.js';
import { unfinishedSibling } from '../unfinished.js';
import { beforeSuffix, FileNames } from './names.js';
import type { RotationPlan } from './plan.js';
import { Ring } from './ring.js';

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
  /** Settled when all that was begun has been done. */
  #work: Promise<void> = Promise.resolve();
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
    this.#then(() => this.#supply());
    this.turn();
  }

  /** Begins with what has become necessary; never throws. */
  turn(): void {
    for (const turn of this.#taker?.fileTurns() ?? []) {
      if (turn.isFinished) this.#then(() => this.#finish(turn));
      else if (turn.number > 1) this.#then(() => this.#begun());
    }
  }

  /** Gives up the oldest files, if this is a ring, until the disk has so much room. Resolves with the room. */
  async makeRoom(bytes: number): Promise<number> {
    let room = Number.POSITIVE_INFINITY; // where it cannot be asked for, `error` says why
    this.#then(async () => {
      room = await this.#shrinkFor(bytes);
    });
    await this.#work;
    return room;
  }

  /** The addon has finished: what is left unfinished was never needed. Resolves with the last file. */
  async end(): Promise<Published> {
    this.turn();
    await this.#work;
    for (const output of this.#open.values()) await output.remove();
    this.#open.clear();
    return { file: this.#last, ...(this.#error ? { error: this.#error } : {}) };
  }

  /** Does it when all that came before has been done. */
  #then(work: () => Promise<void>): void {
    this.#work = this.#work.then(work).catch((thrown) => {
      this.#error ??= asDpcapError(thrown);
    });
  }

  async #shrinkFor(bytes: number): Promise<number> {
    while (true) {
      const room = await freeBytes(dirname(this.#path));
      if (room >= bytes || this.#rotation.ring === 0 || this.#ring.size === 0) return room;
      await this.#ring.giveUpOldest();
    }
  }

  async #begun(): Promise<void> {
    if (this.#rotation.ring > 0) await this.#ring.shrinkTo(this.#rotation.ring - 1);
    await this.#supply();
  }

  async #supply(): Promise<void> {
    if (this.#error) return;
    try {
      const output = await openNew(this.#path, unfinishedSibling(this.#unfinished), { owner: this.#owner });
      this.#opened++;
      this.#open.set(this.#opened, output);
      this.#taker?.supplyFile(output.sink.fd);
    } catch (cause) {
      this.#error = cannotWrite(this.#path, cause);
      this.#taker?.refuseFile(constants.errno[errnoOf(cause) as keyof typeof constants.errno] ?? constants.errno.EIO);
    }
  }

  async #finish({ number, bytes, beginNs }: FileTurn): Promise<void> {
    const output = this.#open.get(number);
    this.#open.delete(number);
    // A file without even a header (the disk was full before it) is not a finished file.
    if (bytes === 0n) await output?.remove();
    else if (output) await this.#name(output, number, bytes, new Date(Number(beginNs / 1_000_000n)));
  }

  async #name(output: Output, number: number, bytes: bigint, begin: Date): Promise<void> {
    try {
      const { file, error } = await this.#publish(output, number, begin);
      this.#error ??= error;
      this.#last = file ?? this.#last;
      if (error || file === undefined) return; // it has not got its name, and nobody is told of it as finished
      await this.#ring.add(file);
      this.#events.finished(file, Number(bytes));
    } catch (thrown) {
      this.#error ??= asDpcapError(thrown);
    }
  }

  /** A numbered file never takes the place of another: two captures may use the same name in the same second. */
  async #publish(output: Output, number: number, begin: Date): Promise<Published> {
    const name = this.#names.next(number, begin);
    if (this.#rotation.names.kind !== 'numbered') return output.publish(name);
    let published = await output.publish(name, 'kept');
    for (let more = 2; published.error?.errno === 'EEXIST'; more++) {
      published = await output.publish(beforeSuffix(name, `-${more}`), 'kept');
    }
    return published;
  }
}
