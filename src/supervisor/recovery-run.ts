/** Runs an engine that clears from a primary what dead captures left. */
import { DpcapError, errorFromRecord } from '../errors.js';
import { FORWARDING_RELEASE } from '../native/releases.js';
import type { RecoverReport, RecoverTarget } from '../protocol/messages.js';
import type { Logger } from '../system/log.js';
import { ENGINE, EngineProcess } from './engine-process.js';
import { resumeWhenPrimaryGone } from './primary-watch.js';
import { lacksLists, SEEDS } from './seeds.js';

/** How long a recovery may take before it is given up. */
const LIMIT_MS = 120_000;
/** The same where the primary may wait 5 s for another process at each lane (engine/session/pdump-participants.ts). */
const LONG_LIMIT_MS = 600_000;

/**
 * Clears from a primary what dead captures left.
 * @param signal gives the recovery up; the next recovery can clear what is left
 * @throws DpcapError when the primary cannot be joined, or when the recovery was given up
 */
export async function runRecovery(
  target: RecoverTarget,
  log: Logger,
  { file = ENGINE, signal }: { file?: string; signal?: AbortSignal } = {},
): Promise<RecoverReport> {
  const { filePrefix, runtimeDir, primaryPid, primaryStartTicks, isDpvs } = target;
  let { dpdk } = target;
  for (const seed of SEEDS) {
    const engine = new EngineProcess(file, seed, {}, runtimeDir, log);
    const endWatch = resumeWhenPrimaryGone({ ...target, enginePid: engine.child.pid }, log);
    const abandon = (): void => engine.abandon();
    const limit = setTimeout(abandon, dpdk.number >= FORWARDING_RELEASE ? LONG_LIMIT_MS : LIMIT_MS);
    signal?.addEventListener('abort', abandon, { once: true });
    try {
      const { report, error } = await engine.converse((message) => {
        if (message.type === 'ready')
          engine.send({
            type: 'recover',
            target: { filePrefix, runtimeDir, primaryPid, primaryStartTicks, dpdk, isDpvs },
          });
        if (message.type === 'notice') log.warn(message.text);
        return message.type === 'recovered' ? message : undefined;
      });
      await engine.ended();
      if (!error) return report;
      if (error.error !== 'ERR_EAL_INIT' || seed === SEEDS.at(-1)) throw errorFromRecord(error);
      if (lacksLists(error)) {
        if (dpdk.isLean) throw errorFromRecord(error); // other addresses cannot help
        dpdk = { ...dpdk, isLean: true };
      }
    } finally {
      endWatch();
      clearTimeout(limit);
      signal?.removeEventListener('abort', abandon);
    }
  }
  throw new DpcapError('ERR_EAL_INIT', 'cannot join the primary'); // not reached
}
