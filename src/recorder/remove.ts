/** Removes a black box that a dead process left. */
import { closeSync, rmSync } from 'node:fs';
import { DpcapError, errnoOf } from '../errors.js';
import { openBox } from './find.js';

/**
 * Removes the box. Nothing but a box can be removed by this, and none that is being written.
 * @returns its size in bytes
 * @throws DpcapError as openBox(), and ERR_CAPTURE_BUSY, ERR_PERMISSION
 */
export function removeBox(path: string): number {
  const { fd, facts } = openBox(path);
  try {
    if (facts.isRecording) throw isOn(path, facts.pid);
    rmSync(path);
    return facts.bytes;
  } catch (cause) {
    if (cause instanceof DpcapError) throw cause;
    throw new DpcapError('ERR_PERMISSION', `cannot remove ${path}`, { cause, errno: errnoOf(cause), subject: path });
  } finally {
    closeSync(fd);
  }
}

function isOn(path: string, pid: number): DpcapError {
  return new DpcapError('ERR_CAPTURE_BUSY', `${path} belongs to process ${pid}, which lives and records into it`, {
    errno: 'EBUSY',
    subject: path,
    hint: 'switch the recorder off, which removes the box: dpcap recorder off',
  });
}
