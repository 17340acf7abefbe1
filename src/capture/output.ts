/** Opens the output and gives a finished file its name. Packet bytes themselves are written by the addon. */
import { constants, openSync, renameSync, rmSync, type Stats, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NativePlan } from '../binding.js';
import { DpcapError, errnoOf, UsageError } from '../errors.js';
import { openInterface } from './interface-output.js';
import type { EnginePlan } from './plan.js';
import { openTaps } from './tap-output.js';

/** An open output. The descriptors in `sink` are handed to the addon, which closes them. */
export interface Output {
  sink: NativePlan['sink'];
  /** Gives the finished file its name; returns it, or undefined for a pipe. */
  publish(): string | undefined;
  /** Removes the unfinished file. */
  remove(): void;
}

/** A pipe, a device or an interface leaves no file behind. */
const NOTHING_LEFT = { publish: () => undefined, remove: () => {} };

const fileSink = (fd: number): NativePlan['sink'] => ({ kind: 'file', fd });

/** Suffix of a file that is still being written: a name without it is a finished file. */
export const PARTIAL = '.partial';

/** How often a FIFO that nobody reads yet is tried. */
const FIFO_RETRY_MS = 50;

/**
 * Opens the plan's output. A regular file is written under its name, our pid and PARTIAL, and renamed when finished; a pipe or a
 * device is written directly. A FIFO is waited for until somebody reads it, as tcpdump does.
 * @param isStopped ends that wait
 * @returns undefined when it was ended
 * @throws UsageError for a directory, DpcapError ERR_SINK_OPEN otherwise
 */
export async function openOutput(
  output: EnginePlan['output'],
  isStopped: () => boolean = () => false,
): Promise<Output | undefined> {
  if (output.kind === 'fd') return { sink: fileSink(output.fd), ...NOTHING_LEFT };
  if (output.kind === 'interface') return { sink: openInterface(output), ...NOTHING_LEFT };
  if (output.kind === 'tap') return { sink: openTaps(output), ...NOTHING_LEFT };
  const { path } = output;
  try {
    const special = specialFile(path);
    if (!special) return partial(path);
    const fd = special.isFIFO() ? await openFifo(path, isStopped) : openSync(path, 'w');
    return fd === undefined ? undefined : { sink: fileSink(fd), ...NOTHING_LEFT };
  } catch (cause) {
    if (cause instanceof DpcapError) throw cause;
    throw new DpcapError('ERR_SINK_OPEN', `cannot write ${path}`, {
      cause,
      errno: errnoOf(cause),
      subject: path,
      hint: 'choose a directory that exists and that you may write to',
    });
  }
}

/** FIFO, device or socket; undefined for a regular file and for none. */
function specialFile(path: string): Stats | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat?.isDirectory()) {
    throw new UsageError(`-w: ${path} is a directory`, {
      code: 'ERR_SINK_OPEN',
      subject: path,
      hint: 'give a file name in it',
    });
  }
  return stat?.isFile() ? undefined : stat;
}

/** A plain open() would block this process, signals included, until there is a reader. */
async function openFifo(path: string, isStopped: () => boolean): Promise<number | undefined> {
  while (!isStopped()) {
    try {
      return openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    } catch (error) {
      if (errnoOf(error) !== 'ENXIO') throw error;
    }
    await sleep(FIFO_RETRY_MS);
  }
  return undefined;
}

function partial(path: string): Output {
  // With our pid: two captures into one file must not write over each other, and the last to finish leaves a valid one.
  const temporary = `${path}.${process.pid}${PARTIAL}`;
  const { O_WRONLY, O_CREAT, O_TRUNC } = constants;
  // 0640: packets are nobody else's business, but the group's, as dumpcap -g has it.
  const fd = openSync(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0o640);
  return {
    sink: fileSink(fd),
    publish: () => {
      renameSync(temporary, path);
      return path;
    },
    remove: () => rmSync(temporary, { force: true }),
  };
}
