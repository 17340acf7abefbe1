/** The output of one capture, in the engine: a single one, or files that follow one another. */
import { dirname } from 'node:path';
import { asDpcapError } from '../errors.js';
import type { CaptureBinding, SinkPlan } from '../native/capture-binding.js';
import type { FinishedFile, FromEngine } from '../protocol/messages.js';
import type { EnginePlan } from '../protocol/plan.js';
import { freeBytes } from '../sinks/disk.js';
import { sinkOf } from '../sinks/registry.js';
import { FileSeries } from '../sinks/rotation/series.js';
import type { Output, Published } from '../sinks/sink.js';
import type { CaptureEnd } from './capture-end.js';

type Done = Extract<FromEngine, { type: 'done' }>;
type Planned = Pick<EnginePlan, 'output' | 'rotation' | 'minFree'>;

export interface OutputEvents {
  finished(file: FinishedFile): void;
  notice(text: string): void;
  /** look() has something to say. */
  ends(): void;
}

export class CaptureOutput {
  readonly #plan: Planned;
  readonly #output: Output;
  readonly #series: FileSeries | undefined;
  readonly #events: OutputEvents;
  /** A disk is being asked for its room. */
  #isAsking = false;
  #end: CaptureEnd | undefined;

  /** Opens what was planned; see Sink.open(). */
  static async open(plan: Planned, isStopped: () => boolean, events: OutputEvents): Promise<CaptureOutput | undefined> {
    const output = await sinkOf(plan.output).open(plan.output, isStopped);
    return output && new CaptureOutput(plan, output, events);
  }

  private constructor(plan: Planned, output: Output, events: OutputEvents) {
    this.#plan = plan;
    this.#output = output;
    this.#events = events;
    if (plan.rotation && plan.output.kind === 'file' && plan.output.unfinished !== undefined) {
      const { path, unfinished, owner } = plan.output;
      this.#series = new FileSeries({ path, unfinished, owner }, plan.rotation, output, {
        finished: (path, bytes) => events.finished({ path, bytes }),
        notice: (text) => events.notice(text),
      });
    }
  }

  get sink(): SinkPlan {
    return this.#output.sink;
  }

  /** The addon has the capture of this number from now on. */
  begin(addon: CaptureBinding, number: number): void {
    this.#series?.begin({
      supplyFile: (fd) => addon.supplyFile(number, fd),
      refuseFile: (errno) => addon.refuseFile(number, errno),
      fileTurns: () => addon.fileTurns(number),
    });
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
    if (!this.#isAsking) void this.#askForRoom();
    return this.#end;
  }

  /** Gives what is finished its name, and removes what is not. @param hasHeader whether a single file is a valid one */
  async end(done: Done, hasHeader: boolean): Promise<void> {
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

  async #askForRoom(): Promise<void> {
    const { minFree, output } = this.#plan;
    if (minFree === undefined || output.kind !== 'file') return;
    this.#isAsking = true;
    try {
      const hasRoom = await (this.#series?.makeRoom(minFree) ?? isRoom(output.path, minFree));
      if (!hasRoom) this.#end = { reason: 'disk space' };
    } catch (thrown) {
      this.#end = { reason: 'sink failed', error: asDpcapError(thrown) };
    }
    this.#isAsking = false;
    if (this.#end) this.#events.ends();
  }
}

async function isRoom(path: string, bytes: number): Promise<boolean> {
  return (await freeBytes(dirname(path))) >= bytes;
}
