/** Clears from a primary what dead captures of ours left in it. Runs in an engine process. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DpcapError } from '../errors.js';
import type { RecoverReport, RecoverTarget } from './messages.js';
import { native, nativeError } from './native-error.js';
import type { Session } from './session.js';

/** In the primary's runtime directory: held by the recovery that is under way. */
const LOCK_FILE = 'dpcap_recover.lock';
/** How long another recovery may take before ours gives up waiting for it. */
const LOCK_LIMIT_MS = 20_000;
const LOCK_RETRY_MS = 50;

/**
 * Disables what dead captures left enabled, waits until the primary is out of it, and frees their memory. Running
 * captures are left alone. Of several recoveries at once one waits for the other.
 * @throws DpcapError when the primary cannot be joined, ERR_CAPTURE_BUSY when another recovery does not end
 */
export async function recover(target: RecoverTarget, session: Session): Promise<RecoverReport> {
  try {
    await lock(session, target.runtimeDir);
    return await clear(session);
  } finally {
    if (session.isPrimaryAlive()) await session.detach();
  }
}

async function lock({ addon }: Session, runtimeDir: string): Promise<void> {
  const deadline = performance.now() + LOCK_LIMIT_MS;
  while (true) {
    try {
      return addon.lockRecovery(join(runtimeDir, LOCK_FILE));
    } catch (thrown) {
      const error = nativeError(thrown);
      if (error.code !== 'ERR_CAPTURE_BUSY' || performance.now() > deadline) throw error;
    }
    await sleep(LOCK_RETRY_MS);
  }
}

async function clear(session: Session): Promise<RecoverReport> {
  const { owners } = await session.attach();
  const dead = owners.filter((owner) => !owner.running);
  const report: RecoverReport = {
    cleared: [],
    inDoubt: [],
    running: owners.filter((owner) => owner.running).map(({ name, pid, purpose }) => ({ name, pid, purpose })),
  };

  const disabled: typeof dead = [];
  for (const owner of dead) {
    const targets = await native(session.addon.disableOwner(owner.name));
    if (targets.length === 0) disabled.push(owner);
    else report.inDoubt.push({ name: owner.name, targets });
  }
  const obstacle = disabled.length === 0 ? undefined : await session.quiesce();
  for (const owner of disabled) {
    const problem = obstacle ?? (await free(session, owner.name));
    if (problem) {
      report.inDoubt.push({ name: owner.name, targets: [problem] });
      continue;
    }
    const targets = owner.targets.filter((one) => one.live).length;
    report.cleared.push({ name: owner.name, pid: owner.pid, purpose: owner.purpose, targets });
  }
  return report;
}

/** Undefined when all of it was freed; else why not. What is left can be freed by the next recovery. */
async function free(session: Session, name: string): Promise<string | undefined> {
  const obstacle = await session.obstacle();
  if (obstacle) return obstacle.message;
  try {
    await session.sections.inside('clear', () => native(session.addon.freeOwner(name)));
    return undefined;
  } catch (thrown) {
    if (thrown instanceof DpcapError) return thrown.message;
    throw thrown;
  }
}
