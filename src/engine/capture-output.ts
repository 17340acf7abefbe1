/** The output of one capture, in the engine: a single one, or files that follow one another. */
import { dirname } from 'node:path';
import type { CaptureBinding, SinkPlan } from '../native/capture-binding.js';
import type { FinishedFile, FromEngine } from '../protocol/messages.js';
import type { EnginePlan } from '../protocol/plan.js';
import { freeBytes } from '../sinks/disk.js';
import { sinkOf } from '../sinks/registry.js';
import { FileSeries } from '../sinks/rotation/series.js';
import type { Output, Published } from '../sinks/sink.js';
import type { CaptureEnd } from './capture-end.js';
import { DiskRoom } from './disk-room.js';

type Done = Extract<FromEngine, { type: 'done' }>;
type Planned = Pick<EnginePlan, 'output' | 'rotation' | 'minFree'>;

export interface OutputEvents {
  finished(file: FinishedFile): void;
  notice(text: string): void;
  /** look() has something to say. */
  ends(): void;
}

export class CaptureOutput {
  readonly #output: Output;
  readonly #series: FileSeries | undefined;
  readonly #room: DiskRoom | undefined;
  #end: CaptureEnd | undefined;

  /** Opens what was planned; see Sink.open(). */
  static async open(plan: Planned, isStopped: () => boolean, events: OutputEvents): Promise<CaptureOutput | undefined> {
    const output = await sinkOf(plan.output).open(plan.output, isStopped);
    return output && new CaptureOutput(plan, output, events);
  }

  private constructor(plan: Planned, output: Output, events: OutputEvents) {
    this.#output = output;
    if (plan.rotation && plan.output.kind === 'file' && plan.output.unfinished !== undefined) {
      const { path, unfinished, owner } = plan.output;
      this.#series = new FileSeries({ path, unfinished, owner }, plan.rotation, output, {
        finished: (path, bytes) => events.finished({ path, bytes }),
        notice: (text) => events.notice(text),
      });
    }
    this.#room = this.#roomFor(plan, () => events.ends());
  }

  get sink(): SinkPlan {
    return this.#output.sink;
  }

  /** The capture is about to begin: see Output.empty(). */
  async empty(): Promise<void> {
    await this.#output.empty?.();
  }

  /** The addon has the capture of this number from now on. */
  begin(addon: CaptureBinding, number: number): void {
    this.#series?.begin({
      supplyFile: (fd) => addon.supplyFile(number, fd),
      refuseFile: (errno) => addon.refuseFile(number, errno),
      fileTurns: () => addon.fileTurns(number),
    });
    this.#room?.begin();
  }

  /** The addon has something to tell. Never throws. */
  turn(): void {
    this.#series?.turn();
  }

  /** The end that the output demands; undefined while the capture goes on. No disk is waited for. */
  look(): CaptureEnd | undefined {
    this.turn();
    const error = this.#series?.error;
    if (error) return { reason: 'sink failed', error };
    return this.#end;
  }

  /** Gives what is finished its name, and removes what is not. @param hasHeader whether a single file is a valid one */
  async end(done: Done, hasHeader: boolean): Promise<void> {
    this.#room?.stop();
    const { file, error } = await (this.#series?.end() ?? this.#endSingle(hasHeader));
    done.file = file;
    // Why there is no other file says more than that the output failed for want of it.
    if (error && (this.#series || !done.error)) done.error = error.toJSON();
  }

  /** A file without even a header (the disk was full from the start) is not a finished file. */
  async #endSingle(hasHeader: boolean): Promise<Published> {
    if (hasHeader) return this.#output.publish();
    await this.#output.remove();
    return { file: undefined };
  }

  #roomFor({ minFree, output }: Planned, ends: () => void): DiskRoom | undefined {
    if (minFree === undefined || output.kind !== 'file') return undefined;
    // A file that is mounted by itself, and so written in place, is on another disk than its directory.
    const place = output.unfinished === undefined ? output.path : dirname(output.path);
    const free = (): Promise<number> => this.#series?.makeRoom(minFree) ?? freeBytes(place);
    return new DiskRoom(minFree, free, (end) => {
      this.#end = end;
      ends();
    });
  }
}
