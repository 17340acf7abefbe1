/**
 * Whom a new file belongs to: when dpcap runs as root for somebody else, the user of -Z or the caller of sudo; else whoever
 * the file belonged to that it replaces.
 */
import type { Stats } from 'node:fs';
import * as z from 'zod/mini';
import { DpcapError, UsageError } from '../errors.js';
import { accountOf } from '../system/users/accounts.js';
import { changeMode, giveFile, statFile } from './disk.js';

export const ownerSchema = z.strictObject({
  uid: z.int().check(z.positive()),
  gid: z.int().check(z.nonnegative()),
  /** The user who was asked for by name; undefined: the caller of sudo, who gets the file where he may have it. */
  user: z.optional(z.string()),
});

export type FileOwner = z.infer<typeof ownerSchema>;

/** Whose the file is that a new one replaces, and the bits of its mode that are taken over. */
export const replacedSchema = z.strictObject({
  uid: z.int().check(z.nonnegative()),
  gid: z.int().check(z.nonnegative()),
  mode: z.int().check(z.nonnegative(), z.maximum(0o777)),
});

export type Replaced = z.infer<typeof replacedSchema>;

/** What is known about whom a new file belongs to. */
export interface Belongings {
  owner?: FileOwner | undefined;
  replaced?: Replaced | undefined;
}

/**
 * The owner of files that root makes for another; undefined when they stay root's, or when dpcap does not run as root.
 * @param user the name given with -Z; `root` keeps files root's under sudo, too
 * @throws UsageError for a user that does not exist
 */
export function fileOwner(user: string | undefined, env: NodeJS.ProcessEnv = process.env): FileOwner | undefined {
  const account = user === undefined ? undefined : accountOf(user);
  if (user !== undefined && account === undefined) {
    throw new UsageError(`-Z: there is no user ${user || 'without a name'}`, {
      subject: user,
      hint: 'getent passwd shows the users there are',
    });
  }
  if (process.geteuid?.() !== 0) return undefined;
  if (account) return account.uid === 0 ? undefined : { ...account, user: user as string };
  const { SUDO_UID: uid = '', SUDO_GID: gid = '' } = env;
  const isCaller = /^[1-9]\d{0,9}$/.test(uid) && /^\d{1,10}$/.test(gid);
  return isCaller ? { uid: Number(uid), gid: Number(gid) } : undefined;
}

/**
 * Whether the owner could have made a file in this directory himself. A file elsewhere stays root's: who may only run dpcap
 * as root must not get files of his own into root's directories. Further groups of his do not count.
 */
export function mayMakeFiles(directory: Stats, { uid, gid }: FileOwner): boolean {
  const may = directory.uid === uid ? 0o300 : directory.gid === gid ? 0o030 : 0o003;
  return (directory.mode & may) === may;
}

/** The error where the user of -Z may not make files. */
export function ownerRefused(path: string, { user }: FileOwner): DpcapError {
  return new DpcapError('ERR_SINK_OPEN', `cannot write ${path}: user ${user} may not make files there`, {
    errno: 'EACCES',
    subject: path,
    hint: `write into a directory of ${user}, or leave -Z out`,
  });
}

/**
 * Gives a new file the owner of the one it replaces, where that is possible. A disk that knows no owners is no failure.
 */
export async function giveAsBefore(fd: number, { uid, gid }: Replaced): Promise<void> {
  await giveFile(fd, uid, gid).catch(() => {});
}

/**
 * Gives a new file the mode of the one it replaces. Where it belongs to another user or group than that one, the bits mean
 * other people, so it is then open to nobody to whom it would not be open in any case.
 */
export async function modeAsBefore(fd: number, replaced: Replaced): Promise<void> {
  const { uid, gid, mode } = await statFile(fd);
  const isSame = uid === replaced.uid && gid === replaced.gid;
  await changeMode(fd, isSame ? replaced.mode : mode & replaced.mode).catch(() => {}); // as above
}
