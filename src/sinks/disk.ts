/**
 * What is asked of a disk, without this thread waiting for the answer: a disk that is frozen, or a server that is gone, gives
 * none, and a capture has to be ended all the same. Descriptors are numbers, because the addon takes them over.
 */
import { close, fchmod, fchown, fstat, ftruncate, link, lstat, open, rename, rm, type Stats, statfs } from 'node:fs';
import { promisify } from 'node:util';
import { errnoOf } from '../errors.js';

export const openFile: (path: string, flags: number, mode?: number) => Promise<number> = promisify(open);
export const closeFile: (fd: number) => Promise<void> = promisify(close);
export const statFile: (fd: number) => Promise<Stats> = promisify(fstat);
export const truncateFile: (fd: number) => Promise<void> = promisify(ftruncate);
export const giveFile: (fd: number, uid: number, gid: number) => Promise<void> = promisify(fchown);
export const changeMode: (fd: number, mode: number) => Promise<void> = promisify(fchmod);
export const renameFile: (from: string, to: string) => Promise<void> = promisify(rename);

const linkFile: (from: string, to: string) => Promise<void> = promisify(link);
const lookAt: (path: string) => Promise<Stats> = promisify(lstat);
const removeAt: (path: string, options: { force: boolean }) => Promise<void> = promisify(rm);
const spaceOf: (path: string) => Promise<{ bavail: number; bsize: number }> = promisify(statfs);

/** Removes a file; that it is gone already is no failure. */
export function removeFile(path: string): Promise<void> {
  return removeAt(path, { force: true });
}

/** What a disk says that has no second names for files, or lets nobody give them. */
const NO_LINKS = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'];

/**
 * Renames a file to a name that nothing has. Whoever takes that name in the same moment keeps it, except on a disk without
 * hard links.
 * @throws EEXIST when there is something
 */
export async function renameToFree(from: string, to: string): Promise<void> {
  try {
    await linkFile(from, to);
  } catch (cause) {
    if (!NO_LINKS.includes(errnoOf(cause) ?? '')) throw cause;
    if ((await fileOf(to)) !== undefined) throw Object.assign(new Error(`${to} exists`), { code: 'EEXIST' });
    return renameFile(from, to);
  }
  await removeFile(from);
}

/** What is there by this name, which is not followed if it is a link; undefined for nothing. */
export async function fileOf(path: string): Promise<Stats | undefined> {
  try {
    return await lookAt(path);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? '')) return undefined;
    throw error;
  }
}

/** Bytes that this user may still write to the disk of a directory or file. */
export async function freeBytes(path: string): Promise<number> {
  const { bavail, bsize } = await spaceOf(path);
  return bavail * bsize;
}
