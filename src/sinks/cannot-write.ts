/** Errors of outputs that cannot be opened. */
import { closeSync } from 'node:fs';
import { DpcapError, errnoOf } from '../errors.js';

/** The error for an output that cannot be opened. */
export function cannotWrite(path: string, cause: unknown): DpcapError {
  if (cause instanceof DpcapError) return cause;
  return new DpcapError('ERR_SINK_OPEN', `cannot write ${path}`, {
    cause,
    errno: errnoOf(cause),
    subject: path,
    hint:
      errnoOf(cause) === 'EEXIST'
        ? 'another capture writes it, or left it when it was killed: look, and remove the .partial file'
        : 'choose a directory that exists and that you may write to',
  });
}

/** Closes what is no longer what was planned, and returns the error. */
export function changed(fd: number, path: string): DpcapError {
  closeSync(fd);
  return new DpcapError('ERR_SINK_OPEN', `cannot write ${path}: it is no longer what it was a moment ago`, {
    errno: 'ESTALE',
    subject: path,
    hint: 'write into a directory that only you can change',
  });
}
