/** Opens the output and gives a finished file its name. Packet bytes themselves are written by the addon. */
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  lstatSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { DpcapError, errnoOf } from '../errors.js';
import type { NativePlan } from '../native/capture-binding.js';
import type { EnginePlan } from '../protocol/plan.js';
import { isProcessLink } from './descriptor.js';
import { cannotWrite } from './file.js';
import { openInterface } from './interface.js';
import { openTaps } from './tap.js';

/** What became of a file when it was finished. */
export interface Published {
  /** Where the packets are; undefined when there is no file. */
  file: string | undefined;
  /** Why they are not where they were to be. */
  error?: DpcapError;
}

/** An open output. The descriptors in `sink` are handed to the addon, which closes them. */
export interface Output {
  sink: NativePlan['sink'];
  /** Gives the finished file its name. */
  publish(): Published;
  /** Removes the unfinished file. */
  remove(): void;
}

/** A pipe, a device or an interface leaves no file behind. */
const NOTHING_LEFT = { publish: () => ({ file: undefined }), remove: () => {} };

const fileSink = (fd: number): NativePlan['sink'] => ({ kind: 'file', fd });

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY } = constants;

/** How often a FIFO that nobody reads yet is tried. */
const FIFO_RETRY_MS = 50;

/**
 * Opens the plan's output, which was looked at before (output-target.ts): what is no longer what it was is refused. A FIFO
 * is waited for until somebody reads it, as tcpdump does.
 * @param isStopped ends that wait
 * @returns undefined when it was ended
 * @throws DpcapError ERR_SINK_OPEN
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
    if (output.kind === 'device') return await openDevice(path, isStopped);
    return output.unfinished === undefined ? openInPlace(path) : openUnfinished(path, output.unfinished);
  } catch (cause) {
    throw cannotWrite(path, cause);
  }
}

/** 0640: packets are nobody else's business, but the group's, as dumpcap -g has it. */
function openUnfinished(path: string, unfinished: string): Output {
  const fd = openSync(unfinished, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o640);
  const { dev, ino } = fstatSync(fd);
  const isOurs = (): boolean => {
    const there = lstatSync(unfinished, { throwIfNoEntry: false });
    return there?.dev === dev && there.ino === ino;
  };
  return {
    sink: fileSink(fd),
    publish: () => {
      try {
        if (!isOurs()) return { file: undefined, error: lost(path, unfinished) };
        renameSync(unfinished, path);
        return { file: path };
      } catch (cause) {
        return { file: unfinished, error: notRenamed(path, unfinished, cause) };
      }
    },
    remove: () => {
      if (isOurs()) rmSync(unfinished, { force: true });
    },
  };
}

function notRenamed(path: string, unfinished: string, cause: unknown): DpcapError {
  return new DpcapError('ERR_SINK_WRITE', `the file is complete, but cannot be given the name ${path}`, {
    cause,
    errno: errnoOf(cause),
    subject: path,
    hint: `the packets are in ${unfinished}`,
  });
}

function lost(path: string, unfinished: string): DpcapError {
  return new DpcapError('ERR_SINK_WRITE', `${path} was not written: somebody took ${unfinished} away meanwhile`, {
    errno: 'ENOENT',
    subject: path,
    hint: 'write into a directory that only you can change',
  });
}

/** A file that cannot be replaced, or must not be: its other names are to show the packets as well. */
function openInPlace(path: string): Output {
  const fd = openSync(path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK);
  if (!fstatSync(fd).isFile()) throw changed(fd, path);
  ftruncateSync(fd);
  return { sink: fileSink(fd), publish: () => ({ file: path }), remove: () => {} };
}

async function openDevice(path: string, isStopped: () => boolean): Promise<Output | undefined> {
  // In /proc the last part is a link, which nobody but the kernel makes.
  const follow = isProcessLink(path) ? 0 : O_NOFOLLOW;
  const fd = await openPipe(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | follow, isStopped);
  if (fd === undefined) return undefined;
  if (fstatSync(fd).isFile()) throw changed(fd, path);
  return { sink: fileSink(fd), ...NOTHING_LEFT };
}

/** Without O_NONBLOCK open() would block this process, signals included, until a FIFO has a reader. */
async function openPipe(path: string, flags: number, isStopped: () => boolean): Promise<number | undefined> {
  while (!isStopped()) {
    try {
      return openSync(path, flags);
    } catch (error) {
      // ENXIO is also what a socket says, but that can only be opened by connecting to it.
      if (errnoOf(error) !== 'ENXIO' || !statSync(path).isFIFO()) throw error;
    }
    await sleep(FIFO_RETRY_MS);
  }
  return undefined;
}

function changed(fd: number, path: string): DpcapError {
  closeSync(fd);
  return new DpcapError('ERR_SINK_OPEN', `cannot write ${path}: it is no longer what it was a moment ago`, {
    errno: 'ESTALE',
    subject: path,
    hint: 'write into a directory that only you can change',
  });
}
