/** Whether whoever called sudo can read what it left. */
import { statSync } from 'node:fs';

/**
 * What to tell the caller of sudo about a file of root's that is closed to him. Root's files stay root's: a sudo that is for
 * one command must not give more away than its packets.
 * @returns undefined when he can read it, and without sudo
 */
export function unreadableNote(file: string, env: NodeJS.ProcessEnv = process.env): string | undefined {
  const { SUDO_USER: user, SUDO_UID, SUDO_GID } = env;
  if (!user || !SUDO_UID || SUDO_UID === '0') return undefined;
  const stats = statSync(file, { throwIfNoEntry: false });
  if (!stats) return undefined; // somebody took it already
  const { mode, uid, gid } = stats;
  const may = String(uid) === SUDO_UID ? 0o400 : String(gid) === SUDO_GID ? 0o040 : 0o004;
  if ((mode & may) !== 0) return undefined;
  return `${file} is closed to ${user}; to open it: sudo chown ${quoted(user)} ${quoted(file)}`;
}

/** As a word for the shell. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
