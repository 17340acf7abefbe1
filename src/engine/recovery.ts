/** Clears from a primary what dead captures of dpcap left in it. Runs in an engine process. */
import { join } from 'node:path';
import { DpcapError } from '../errors.js';
import { hostAddon } from '../native/addons.js';
import { native } from '../native/errors.js';
import type { RecoverReport, RecoverTarget } from '../protocol/messages.js';
import { waitForLock } from '../system/lock-file.js';
import type { Session } from './session/attachment.js';

/** A file in the primary's runtime directory, which the recovery that is under way keeps locked. */
const LOCK_FILE = 'dpcap_recover.lock';
/** How long another recovery may take before this one gives up waiting for it. */
const LOCK_LIMIT_MS = 20_000;

/**
 * Disables what dead captures left enabled, waits until the primary's threads are out of the callbacks, and frees the
 * memory. Running captures are left alone. Of several recoveries at once, one waits for the other.
 * @throws DpcapError when the primary cannot be joined, ERR_CAPTURE_BUSY when another recovery does not end
 */
export async function recover(target: RecoverTarget, session: Session): Promise<RecoverReport> {
  try {
    await lock(target.runtimeDir);
    return await clear(session);
  } finally {
    if (session.isPrimaryAlive()) await session.detach();
  }
}

/** Takes the lock, until this process ends. */
async function lock(runtimeDir: string): Promise<void> {
  const path = join(runtimeDir, LOCK_FILE);
  if ((await waitForLock(hostAddon(), path, LOCK_LIMIT_MS)) !== undefined) return;
  throw new DpcapError('ERR_CAPTURE_BUSY', 'another recovery of this primary is under way, and does not end', {
    subject: path,
    errno: 'EBUSY',
    hint: 'is it stopped? Let it go on, then try again',
  });
}

async function clear(session: Session): Promise<RecoverReport> {
  const { owners } = await session.attach('nothing');
  const dead = owners.filter((owner) => !owner.running);
  const report: RecoverReport = {
    cleared: [],
    inDoubt: [],
    running: owners.filter((owner) => owner.running).map(({ name, pid, purpose }) => ({ name, pid, purpose })),
  };

  const disabled: typeof dead = [];
  for (const owner of dead) {
    const lanes = await native(session.addon.disableOwner(owner.name));
    if (lanes.length === 0) disabled.push(owner);
    else report.inDoubt.push({ name: owner.name, lanes });
  }
  const obstacle = disabled.length === 0 ? undefined : await session.quiesce();
  for (const owner of disabled) {
    const problem = obstacle ?? (await free(session, owner.name));
    if (problem) {
      report.inDoubt.push({ name: owner.name, lanes: [problem] });
      continue;
    }
    const lanes = owner.lanes.filter((one) => one.live).length;
    report.cleared.push({ name: owner.name, pid: owner.pid, purpose: owner.purpose, lanes });
  }
  return report;
}

/** Frees what a dead capture left. Returns undefined, or why something is left, which the next recovery can free. */
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
