/** Clears from a primary what dead captures of ours left in it. Runs in an engine process. */
import { DpcapError } from '../errors.js';
import type { RecoverReport, RecoverTarget } from './messages.js';
import { native } from './native-error.js';
import { Session } from './session.js';

/**
 * Disables what dead captures left enabled, waits until the primary is out of it, and frees their memory. Running
 * captures are left alone.
 * @throws DpcapError when the primary cannot be joined
 */
export async function recover(target: RecoverTarget): Promise<RecoverReport> {
  const session = new Session(target);
  try {
    return await clear(session);
  } finally {
    if (session.isPrimaryAlive()) await session.detach();
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
    const targets = await native(session.addon.disableOwner(owner.name)).catch(unlessClaimed);
    if (!targets) continue;
    if (targets.length === 0) disabled.push(owner);
    else report.inDoubt.push({ name: owner.name, targets });
  }
  const obstacle = disabled.length === 0 ? undefined : await session.quiesce();
  for (const owner of disabled) {
    if (obstacle !== undefined) {
      report.inDoubt.push({ name: owner.name, targets: [obstacle] });
      continue;
    }
    await native(session.addon.freeOwner(owner.name));
    const targets = owner.targets.filter((one) => one.live).length;
    report.cleared.push({ name: owner.name, pid: owner.pid, purpose: owner.purpose, targets });
  }
  return report;
}

/** Another recovery is at this one, or has finished it. */
function unlessClaimed(error: unknown): undefined {
  if (error instanceof DpcapError && (error.errno === 'EBUSY' || error.errno === 'ENOENT')) return undefined;
  throw error;
}
