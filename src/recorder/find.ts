/** Finds black boxes: those of recorders that are on, and those that dead processes left. */
import { closeSync, constants, fstatSync, openSync, readdirSync, type Stats } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { findAgents } from '../agent/find.js';
import { asDpcapError, DpcapError, errnoOf } from '../errors.js';
import { hostAddon } from '../native/addons.js';
import { checked } from '../native/errors.js';
import type { BoxFacts } from '../native/recorder-binding.js';
import { checkPrefix, currentUid, runtimeRoot } from '../primary/runtime-dir.js';
import { inFolder } from '../system/safe-file.js';

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
const FOLDER = 'dpcap_recorder';
const SHARED_FOLDER = /^dpcap_recorder_\d+$/;
const BOX = /^dpcap_box_\d+_\d+$/;

/** Where an agent puts boxes when the runtime directory is on a disk. */
export const SHARED_MEMORY = '/dev/shm';

/** A box, open for reading. */
export interface OpenBox {
  fd: number;
  path: string;
  /** Its owner, who can have written anything into it. */
  uid: number;
  facts: BoxFacts;
}

/** A file in a folder of boxes that cannot be read as one. */
export interface BadBox {
  path: string;
  error: DpcapError;
}

/** The boxes that were found; close() gives their descriptors back. */
export interface FoundBoxes {
  boxes: OpenBox[];
  bad: BadBox[];
  close(): void;
}

/**
 * Finds all boxes, without a word to any application but to those with an agent.
 * @param root see runtimeRoot()
 */
export function findBoxes(root: string, prefix?: string, shared = SHARED_MEMORY): FoundBoxes {
  if (prefix !== undefined) checkPrefix(prefix);
  const boxes: OpenBox[] = [];
  const bad: BadBox[] = [];
  const add = (path: string, open: () => number): void => {
    try {
      const box = readBox(path, open());
      if (boxes.some(({ fd }) => isSame(fd, box.fd))) closeSync(box.fd);
      else boxes.push(box);
    } catch (error) {
      bad.push({ path, error: asDpcapError(error) });
    }
  };
  for (const { path, fd } of statesOf(root, prefix)) add(path, () => fd);
  for (const folder of foldersOf(root, prefix, shared)) {
    for (const name of namesIn(folder)) if (BOX.test(name)) add(join(folder, name), () => openInFolder(folder, name));
  }
  const wanted = boxes.filter(({ facts }) => prefix === undefined || facts.filePrefix === prefix);
  for (const box of boxes) if (!wanted.includes(box)) closeSync(box.fd);
  const close = (): void => {
    for (const { fd } of wanted) closeSync(fd);
  };
  return { boxes: wanted, bad, close };
}

/**
 * Opens a box that the user names.
 * @throws DpcapError ERR_RECORDER_FILE when it is none, ERR_PERMISSION when another user may have put it there
 */
export function openBox(path: string): OpenBox {
  return readBox(path, openFile(path));
}

/**
 * Opens what the user names as a box, whatever is in it.
 * @throws DpcapError ERR_RECORDER_FILE when it cannot be opened, ERR_PERMISSION when another user may have put it there
 */
export function openFile(path: string): number {
  const folder = dirname(path);
  if (isFolderOfBoxes(folder) && BOX.test(basename(path))) return openInFolder(folder, basename(path));
  let fd: number;
  try {
    fd = openSync(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
  } catch (cause) {
    const message = `cannot read the black box ${path}`;
    throw new DpcapError('ERR_RECORDER_FILE', message, { cause, errno: errnoOf(cause), subject: path, hint: LOOK });
  }
  const { uid } = fstatSync(fd);
  if (uid === 0 || uid === currentUid() || uid === Number(process.env.SUDO_UID ?? Number.NaN)) return fd;
  closeSync(fd);
  throw new DpcapError('ERR_PERMISSION', `${path} belongs to user ${uid}, who may have made it to mislead`, {
    errno: 'EPERM',
    subject: path,
    hint: 'read it as that user, or make a copy that is yours if you trust it',
  });
}

/** A folder that an agent may have made: what is in it may belong to the application's user. */
export function isFolderOfBoxes(path: string): boolean {
  const isShared = dirname(path) === SHARED_MEMORY && SHARED_FOLDER.test(basename(path));
  return isShared || (basename(path) === FOLDER && dirname(dirname(path)) === runtimeRoot());
}

const LOOK = '`dpcap recorder status` shows the boxes of this machine';

/** The recorders that say they are on; their boxes may be where only the application sees them. */
function statesOf(root: string, prefix: string | undefined): { path: string; fd: number }[] {
  return findAgents(root, prefix).flatMap(({ socket }) => {
    try {
      const state = hostAddon().recorderState(socket);
      return state ? [{ path: state.path, fd: state.fd }] : [];
    } catch {
      return []; // `dpcap agent check` says why it does not answer
    }
  });
}

function foldersOf(root: string, prefix: string | undefined, shared: string): string[] {
  const prefixes = prefix === undefined ? namesIn(root) : [prefix];
  const own = namesIn(shared).filter((name) => SHARED_FOLDER.test(name));
  return [...prefixes.map((name) => join(root, name, FOLDER)), ...own.map((name) => join(shared, name))];
}

/** @throws DpcapError ERR_PERMISSION when somebody other than the folder's owner may have put the box there */
function openInFolder(path: string, name: string): number {
  return inFolder(path, (folder) => {
    const fd = openSync(folder.at(name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    const why = doubt(basename(path), folder.stat(), fstatSync(fd));
    if (why === undefined) return fd;
    closeSync(fd);
    throw new DpcapError('ERR_PERMISSION', `${join(path, name)} is left alone: ${why}`, {
      errno: 'EPERM',
      subject: path,
    });
  });
}

/** Why a box in this folder may be somebody else's than the application's user. Pure. */
export function doubt(
  folderName: string,
  folder: Pick<Stats, 'uid' | 'mode'>,
  box: Pick<Stats, 'uid'>,
): string | undefined {
  const [, named] = /_(\d+)$/.exec(folderName) ?? [];
  if (named !== undefined && Number(named) !== folder.uid) return `user ${folder.uid} made the folder of user ${named}`;
  if ((folder.mode & 0o022) !== 0) return 'others can write to its folder';
  return box.uid === folder.uid ? undefined : `it belongs to user ${box.uid}, its folder to user ${folder.uid}`;
}

function readBox(path: string, fd: number): OpenBox {
  try {
    return { path, fd, uid: fstatSync(fd).uid, facts: checked(() => hostAddon().readBox(fd)) };
  } catch (thrown) {
    closeSync(fd);
    const error = asDpcapError(thrown);
    throw new DpcapError(error.code, `${path}: ${error.message}`, { errno: error.errno, subject: path, hint: LOOK });
  }
}

function isSame(one: number, other: number): boolean {
  const [a, b] = [fstatSync(one), fstatSync(other)];
  return a.dev === b.dev && a.ino === b.ino;
}

/** Sorted; empty for a directory that is not there or may not be read. */
function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch {
    return [];
  }
}
