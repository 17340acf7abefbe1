/** Opens the output and gives a finished file its name. Packet bytes themselves are written by the addon. */
import { constants, openSync, renameSync, statSync, unlinkSync } from 'node:fs';
import { binding, type NativePlan } from '../binding.js';
import { DpcapError, errnoOf, UsageError } from '../errors.js';
import { nativeError } from './native-error.js';
import type { EnginePlan } from './plan.js';

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

const fileSink = (fd: number): NativePlan['sink'] => ({ kind: 'file', fd, txFd: fd, maxRate: 0 });

/** Suffix of a file that is still being written: a name without it is a finished file. */
export const PARTIAL = '.partial';

/**
 * Opens the plan's output. A regular file is written under its name + PARTIAL and renamed when finished; a pipe or a
 * device is written directly.
 * @throws UsageError for a directory, DpcapError ERR_SINK_OPEN otherwise
 */
export function openOutput(output: EnginePlan['output']): Output {
  if (output.kind === 'fd') return { sink: fileSink(output.fd), ...NOTHING_LEFT };
  if (output.kind === 'tap') return tap(output);
  const { path } = output;
  try {
    return isSpecial(path) ? direct(path) : partial(path);
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

/** FIFO, device or socket. */
function isSpecial(path: string): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat?.isDirectory()) {
    throw new UsageError(`-w: ${path} is a directory`, {
      code: 'ERR_SINK_OPEN',
      subject: path,
      hint: 'give a file name in it',
    });
  }
  return stat !== undefined && !stat.isFile();
}

function direct(path: string): Output {
  const fd = openSync(path, 'w');
  return { sink: fileSink(fd), ...NOTHING_LEFT };
}

function tap(output: Extract<EnginePlan['output'], { kind: 'tap' }>): Output {
  const { rxName, txName, netns, mtu, maxRate } = output;
  const fd = createTap(rxName, netns, mtu);
  const txFd = txName === rxName ? fd : createTap(txName, netns, mtu);
  return { sink: { kind: 'tap', fd, txFd, maxRate }, ...NOTHING_LEFT };
}

function createTap(name: string, netns: string, mtu: number): number {
  try {
    return binding().createTap(name, netns, mtu);
  } catch (thrown) {
    throw nativeError(thrown);
  }
}

function partial(path: string): Output {
  const temporary = path + PARTIAL;
  const { O_WRONLY, O_CREAT, O_TRUNC } = constants;
  // 0640: packets are nobody else's business, but the group's, as dumpcap -g has it.
  const fd = openSync(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0o640);
  return {
    sink: fileSink(fd),
    publish: () => {
      renameSync(temporary, path);
      return path;
    },
    remove: () => unlinkSync(temporary),
  };
}
