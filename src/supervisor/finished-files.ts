/** What is done with each finished file of a capture that has several: its name is written down, a program is run. */
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { resolve } from 'node:path';
import { DpcapError, errnoOf } from '../errors.js';
import type { EnginePlan } from '../protocol/plan.js';
import type { RotationPlan } from '../sinks/rotation/plan.js';
import { UNFINISHED, type UnfinishedUndo } from '../sinks/rotation/undo.js';
import { Journal, type OpenEntry } from '../system/journal.js';
import type { Account } from '../system/users/accounts.js';
import { CommandQueue } from './command-queue.js';

const [STDOUT, STDERR] = [1, 2];

export class FinishedFiles {
  readonly #entry: OpenEntry | undefined;
  readonly #command: CommandQueue | undefined;
  readonly #notice: (text: string) => void;
  #names: number | undefined;

  /**
   * @param notice tells people what failed
   * @throws DpcapError ERR_SINK_OPEN when the names cannot be written down
   */
  constructor(
    { printName, command }: Pick<RotationPlan, 'printName' | 'command'>,
    output: EnginePlan['output'],
    notice: (text: string) => void,
  ) {
    this.#notice = notice;
    this.#names = printName === undefined ? undefined : openNames(printName);
    this.#entry = this.#journalled(output);
    this.#command = command === undefined ? undefined : new CommandQueue(command, notice, askedFor(output));
  }

  add(path: string): void {
    this.#writeDown(path);
    this.#command?.add(path);
  }

  /** Waits for the commands, though not for ever. */
  async end(): Promise<void> {
    this.#close();
    await this.#command?.end();
    this.#entry?.close();
  }

  /** So that `dpcap recover` can name what is left unfinished when this process and its engine are killed. */
  #journalled(output: EnginePlan['output']): OpenEntry | undefined {
    if (output.kind !== 'file' || output.unfinished === undefined) return undefined;
    const undo: UnfinishedUndo = { unfinished: resolve(output.unfinished) };
    try {
      return new Journal().open(UNFINISHED.name, resolve(output.path), undo);
    } catch (error) {
      this.#notice(`if dpcap is killed, recover cannot name unfinished files: ${(error as Error).message}`);
      return undefined;
    }
  }

  /** A list that cannot be written (a full disk, a reader that left) does not end the capture. */
  #writeDown(path: string): void {
    if (this.#names === undefined) return;
    try {
      writeSync(this.#names, `${path}\n`);
    } catch (error) {
      this.#notice(`-b printname: cannot write the names of files any more: ${(error as Error).message}`);
      this.#close();
    }
  }

  #close(): void {
    if (this.#names !== undefined && this.#names > STDERR) closeSync(this.#names);
    this.#names = undefined;
  }
}

/** The user of -Z, whose the files are: what is done with them is not done as root. */
function askedFor(output: EnginePlan['output']): Account | undefined {
  return output.kind === 'file' && output.owner?.user !== undefined ? output.owner : undefined;
}

/**
 * As dumpcap does, it begins the file anew. A link is not followed: another user may have put it there. A FIFO must have
 * a reader.
 */
function openNames(name: string): number {
  if (name === '-') return STDOUT;
  if (name === 'stderr') return STDERR;
  const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW, O_NONBLOCK } = constants;
  try {
    return openSync(name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK, 0o640);
  } catch (cause) {
    throw new DpcapError('ERR_SINK_OPEN', `-b printname: cannot write ${name}`, {
      cause,
      errno: errnoOf(cause),
      subject: name,
      hint: 'choose a directory that exists and that you may write to',
    });
  }
}
