/** A process of ours gives up root (-Z), once everything is open that only root may open. */
import { constants } from 'node:os';
import { DpcapError, errnoOf } from '../../errors.js';
import { hostAddon } from '../../native/addons.js';
import type { Account } from './accounts.js';

/**
 * Makes this process the user's, with all its threads and for good. Files that are opened from now on are opened by him.
 * @throws DpcapError ERR_PERMISSION: then nothing goes on as root that was not to
 */
export function becomeUser({ user, uid, gid }: Account & { user: string }): void {
  try {
    hostAddon().becomeUser(user, uid, gid);
  } catch (cause) {
    throw refused(user, cause);
  }
  if (process.getuid?.() !== uid || process.geteuid?.() !== uid) throw refused(user, undefined);
  // The kernel forgets that this process is to hear of its parent's death when it becomes another user's.
  hostAddon().dieWithParent(constants.signals.SIGTERM);
}

function refused(user: string, cause: unknown): DpcapError {
  return new DpcapError('ERR_PERMISSION', `cannot become user ${user}`, {
    cause,
    errno: errnoOf(cause) ?? 'EPERM',
    subject: user,
    hint: 'run dpcap with the capabilities CAP_SETUID and CAP_SETGID, or leave -Z out',
  });
}
