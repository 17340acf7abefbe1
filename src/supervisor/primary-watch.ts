/**
 * The supervisor's eye on the primary. The engine notices for itself that the primary is gone and lets go of its files at
 * once, but not while it is stopped (Ctrl-Z in its session, a debugger, `kill -STOP`): the next primary could not start
 * for as long as that lasts. With the primary gone nothing of it can be harmed any more, so the engine is made to go on.
 */

import { binding } from '../native/binding.js';
import type { LifeBinding } from '../native/host-binding.js';
import type { Logger } from '../system/log.js';

/** Which primary, and who captures from it. */
export interface WatchedCapture {
  runtimeDir: string;
  primaryPid?: number | undefined;
  /** The engine; undefined when it could not be started. */
  enginePid: number | undefined;
}

/**
 * Resumes a stopped engine when its primary is gone. One that is not stopped does not notice.
 * @returns ends the watch
 */
export function resumeWhenPrimaryGone(
  { runtimeDir, primaryPid, enginePid }: WatchedCapture,
  log: Logger,
  addon: Pick<LifeBinding, 'watchPrimary'> = binding(),
): () => void {
  return addon.watchPrimary(runtimeDir, primaryPid ?? 0, () => {
    log.debug({ primaryPid, enginePid }, 'the primary is gone');
    try {
      if (enginePid !== undefined) process.kill(enginePid, 'SIGCONT');
    } catch {
      // It has ended, and its locks with it.
    }
  });
}
