/**
 * The supervisor's watch on the primary. The engine notices by itself that the primary is gone and lets go of its files
 * at once, but not while it is stopped (Ctrl-Z in its session, a debugger, `kill -STOP`): the next primary could not
 * start for as long as that lasts. Once the primary is gone, nothing of it can be harmed, so the engine is resumed.
 */

import { hostAddon } from '../native/addons.js';
import type { LifeBinding } from '../native/host-binding.js';
import type { Logger } from '../system/log.js';

/** The primary to watch, and the engine that captures from it. */
export interface WatchedCapture {
  runtimeDir: string;
  primaryPid?: number | undefined;
  /** The engine; undefined when it could not be started. */
  enginePid: number | undefined;
}

/**
 * Resumes a stopped engine when its primary is gone. An engine that is not stopped does not notice.
 * @returns a function that ends the watch
 */
export function resumeWhenPrimaryGone(
  { runtimeDir, primaryPid, enginePid }: WatchedCapture,
  log: Logger,
  addon: Pick<LifeBinding, 'watchPrimary'> = hostAddon(),
): () => void {
  return addon.watchPrimary(runtimeDir, primaryPid ?? 0, () => {
    log.debug({ primaryPid, enginePid }, 'the primary is gone');
    try {
      if (enginePid !== undefined) process.kill(enginePid, 'SIGCONT');
    } catch {
      // The engine has ended, and its locks with it.
    }
  });
}
