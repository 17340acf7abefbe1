/** What is done with each finished file of a capture that has several: its name is written down, a program is run. */
import { resolve } from 'node:path';
import type { EnginePlan } from '../protocol/plan.js';
import { NameList } from '../sinks/rotation/name-list.js';
import type { RotationPlan } from '../sinks/rotation/plan.js';
import { UNFINISHED, type UnfinishedUndo } from '../sinks/rotation/undo.js';
import { Journal, type OpenEntry } from '../system/journal.js';
import type { Account } from '../system/users/accounts.js';
import { CommandQueue } from './command-queue.js';

export class FinishedFiles {
  readonly #entry: OpenEntry | undefined;
  readonly #names: NameList | undefined;
  readonly #command: CommandQueue | undefined;
  readonly #notice: (text: string) => void;

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
    const owner = output.kind === 'file' ? output.owner : undefined;
    // A list that cannot be written (a full disk, a reader that left) does not end the capture.
    const lost = (why: string): void => notice(`-b printname: names of files are left out: ${why}`);
    this.#names = printName === undefined ? undefined : new NameList(printName, owner, lost);
    this.#entry = this.#journalled(output);
    this.#command = command === undefined ? undefined : new CommandQueue(command, notice, askedFor(output));
  }

  add(path: string): void {
    this.#names?.add(path);
    this.#command?.add(path);
  }

  /** Waits for the commands, though not for ever. */
  async end(): Promise<void> {
    await Promise.all([this.#names?.end(), this.#command?.end()]);
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
}

/** The user of -Z, whose the files are: what is done with them is not done as root. */
function askedFor(output: EnginePlan['output']): Account | undefined {
  return output.kind === 'file' && output.owner?.user !== undefined ? output.owner : undefined;
}
