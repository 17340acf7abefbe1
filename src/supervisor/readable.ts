/** Tells whether the user who called sudo can read the file that a capture left. */
import { statSync } from 'node:fs';

/**
 * The text for the caller of sudo about a file of root that is closed to him. Root's files stay root's: a sudo that
 * is for one command must not give away more than its packets.
 * @returns undefined when he can read it, and also without sudo
 */
export function unreadableNote(file: string, env: NodeJS.ProcessEnv = process.env): string | undefined {
  const { SUDO_USER: user, SUDO_UID, SUDO_GID } = env;
  if (!user || !SUDO_UID || SUDO_UID === '0') return undefined;
  const stats = statSync(file, { throwIfNoEntry: false });
  if (!stats) return undefined; // somebody has already taken it
  const { mode, uid, gid } = stats;
  const may = String(uid) === SUDO_UID ? 0o400 : String(gid) === SUDO_GID ? 0o040 : 0o004;
  if ((mode & may) !== 0) return undefined;
  return `${file} is closed to ${user}; to open it: sudo chown ${quoted(user)} ${quoted(file)}`;
}

/** Quotes a word for the shell. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
