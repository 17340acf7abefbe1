/** What running forwarders say of themselves, one file each in the state directory: how `status` and `off` find them. */
import { mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { stateDir } from '../journal.js';
import { isRunning, readProcess } from '../primary/process.js';

const stateSchema = z.object({
  filePrefix: z.string(),
  port: z.object({ id: z.int(), name: z.string() }),
  interfaces: z.array(z.string()).check(z.minLength(1)),
  netns: z.string(),
  pid: z.int(),
  startTicks: z.number(),
  startedAt: z.string(),
  /** Counters of the last second. */
  packets: z.number(),
  bytes: z.number(),
  nombuf: z.number(),
  ringfull: z.number(),
  sinkdrop: z.number(),
  filtered: z.number(),
});

export type ForwarderState = z.infer<typeof stateSchema>;

/** The files of all forwarders of this user. */
export class ForwarderStates {
  readonly #dir: string;

  constructor(dir: string = stateDir()) {
    this.#dir = join(dir, 'forwarders');
  }

  /** Writes or replaces the state of the calling process. */
  save(state: Omit<ForwarderState, 'pid' | 'startTicks'>): void {
    const startTicks = readProcess(process.pid)?.startTicks ?? 0;
    this.#create();
    const path = this.#path(process.pid);
    writeFileSync(`${path}.new`, JSON.stringify({ ...state, pid: process.pid, startTicks }), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  }

  /** Forgets a forwarder. */
  remove(pid: number = process.pid): void {
    rmSync(this.#path(pid), { force: true });
  }

  /** Forwarders that run; files of dead ones are removed. */
  running(): ForwarderState[] {
    return this.#pids().flatMap((pid) => {
      const state = this.#read(pid);
      if (state && isRunning(pid, state.startTicks)) return [state];
      this.remove(pid);
      return [];
    });
  }

  /** Begins the file for what a forwarder in the background has to say. @returns its descriptor */
  beginLog(filePrefix: string, portId: number): number {
    this.#create();
    return openSync(this.logPath(filePrefix, portId), 'w', 0o600);
  }

  /** That of the last one for this port. */
  logPath(filePrefix: string, portId: number): string {
    return join(this.#dir, `${filePrefix}-${portId}.log`);
  }

  #create(): void {
    mkdirSync(this.#dir, { recursive: true, mode: 0o700 });
  }

  #path(pid: number): string {
    return join(this.#dir, `${pid}.json`);
  }

  #pids(): number[] {
    try {
      return readdirSync(this.#dir).flatMap((name) => (/^\d+\.json$/.test(name) ? [Number.parseInt(name, 10)] : []));
    } catch {
      return []; // none was ever started
    }
  }

  #read(pid: number): ForwarderState | undefined {
    try {
      return stateSchema.parse(JSON.parse(readFileSync(this.#path(pid), 'utf8')));
    } catch {
      return undefined;
    }
  }
}
