/** The state of running forwarders, one file each in the state directory, by which `status` and `off` find them. */
import { constants, openSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { stateDir } from '../system/journal.js';
import { lifeOf, ownIdentity } from '../system/process-life.js';
import { faultOfDir, makePrivateDir, readTrusted, replaceFile } from '../system/safe-file.js';

const stateSchema = z.object({
  filePrefix: z.string(),
  port: z.object({ id: z.int(), name: z.string() }),
  interfaces: z.array(z.string()).check(z.minLength(1)),
  netns: z.string(),
  pid: z.int(),
  startTicks: z.number(),
  pidNamespace: z.number(),
  startedAt: z.string(),
  /** Counters since the start; they are updated every second. */
  packets: z.number(),
  /** Null where nobody counts them: by virtio-user. */
  bytes: z.nullable(z.number()),
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
  save(state: Omit<ForwarderState, 'pid' | 'startTicks' | 'pidNamespace'>): void {
    makePrivateDir(this.#dir);
    replaceFile(this.#path(process.pid), JSON.stringify({ ...state, ...ownIdentity() }));
  }

  /** Removes the state of a forwarder. */
  remove(pid: number = process.pid): void {
    rmSync(this.#path(pid), { force: true });
  }

  /** Finds the forwarders that run in this PID namespace, and removes files of dead ones. */
  running(): ForwarderState[] {
    const { pidNamespace } = ownIdentity();
    return this.#pids().flatMap((pid) => {
      const state = this.#read(pid);
      const life = state ? lifeOf(state) : 'gone';
      if (life === 'gone') this.remove(pid);
      return state && life === 'running' && state.pidNamespace === pidNamespace ? [state] : [];
    });
  }

  /** Begins the log file for the messages of a forwarder in the background. @returns its descriptor */
  beginLog(filePrefix: string, portId: number): number {
    makePrivateDir(this.#dir);
    const path = this.logPath(filePrefix, portId);
    rmSync(path, { force: true });
    return openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600);
  }

  /** Path of the log of the last forwarder for this port. */
  logPath(filePrefix: string, portId: number): string {
    return join(this.#dir, `${filePrefix}-${portId}.log`);
  }

  #path(pid: number): string {
    return join(this.#dir, `${pid}.json`);
  }

  #pids(): number[] {
    // A user who can write there could make dpcap end any process as a forwarder.
    if (faultOfDir(this.#dir) !== undefined) return [];
    try {
      return readdirSync(this.#dir).flatMap((name) => (/^\d+\.json$/.test(name) ? [Number.parseInt(name, 10)] : []));
    } catch {
      return []; // no forwarder was ever started
    }
  }

  #read(pid: number): ForwarderState | undefined {
    try {
      return stateSchema.parse(JSON.parse(readTrusted(this.#path(pid))));
    } catch {
      return undefined;
    }
  }
}
