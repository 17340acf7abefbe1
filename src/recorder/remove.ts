/** Removes a black box that a dead process left. */
import { closeSync, fstatSync, lstatSync, realpathSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { DpcapError, errnoOf } from '../errors.js';
import { hostAddon } from '../native/addons.js';
import { checked } from '../native/errors.js';
import { inFolder } from '../system/safe-file.js';
import { isFolderOfBoxes, openFile } from './find.js';

/**
 * Removes the box, also one of another version or a damaged one: an application makes no more of them when there are many.
 * Nothing but a box can be removed by this, and none that is being written.
 * @returns its size in bytes
 * @throws DpcapError as openFile(), and ERR_CAPTURE_BUSY, ERR_PERMISSION
 */
export function removeBox(path: string): number {
  const fd = openFile(path);
  try {
    if (checked(() => hostAddon().isBoxHeld(fd))) throw isOn(path);
    removeEntry(path, fd);
    return fstatSync(fd).size;
  } catch (cause) {
    if (cause instanceof DpcapError) throw cause;
    throw new DpcapError('ERR_PERMISSION', `cannot remove ${path}`, { cause, errno: errnoOf(cause), subject: path });
  } finally {
    closeSync(fd);
  }
}

/**
 * Removes the name of the box that is open, and nothing that was put in its place meanwhile. A folder of boxes is its
 * owner's, who may put a link there: that is not followed.
 */
export function removeEntry(path: string, fd: number): void {
  const [parent, name] = [dirname(path), basename(path)];
  inFolder(isFolderOfBoxes(parent) ? parent : realpathSync(parent), (folder) => {
    const [entry, box] = [lstatSync(folder.at(name)), fstatSync(fd)];
    if (entry.dev !== box.dev || entry.ino !== box.ino) throw isReplaced(path);
    folder.remove(name);
  });
}

function isReplaced(path: string): DpcapError {
  return new DpcapError('ERR_PERMISSION', `${path} is left alone: something else was put there meanwhile`, {
    errno: 'ESTALE',
    subject: path,
    hint: '`dpcap recorder status` shows the boxes of this machine',
  });
}

function isOn(path: string): DpcapError {
  return new DpcapError('ERR_CAPTURE_BUSY', `${path} belongs to a process which lives and records into it`, {
    errno: 'EBUSY',
    subject: path,
    hint: 'switch the recorder off, which removes the box: dpcap recorder off',
  });
}
