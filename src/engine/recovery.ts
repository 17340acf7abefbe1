/** Clears from a primary what dead captures of dpcap left in it. Runs in an engine process. */
import { join } from 'node:path';
import { DpcapError } from '../errors.js';
import { hostAddon } from '../native/addons.js';
import { native } from '../native/errors.js';
import type { OwnerFacts, PrimaryBinding } from '../native/primary-binding.js';
import type { RecoverReport, RecoverTarget } from '../protocol/messages.js';
import { waitForLock } from '../system/lock-file.js';
import type { Session } from './session/attachment.js';
import type { Tell } from './session/pdump-participants.js';

/** What a recovery needs of its session. */
export type RecoverySession = Pick<
  Session,
  'attach' | 'detach' | 'isPrimaryAlive' | 'obstacle' | 'quiesce' | 'sections' | 'tellDelays'
> & { readonly addon: Pick<PrimaryBinding, 'disableOwner' | 'freeOwner'> };

/** A file in the primary's runtime directory, which the recovery that is under way keeps locked. */
const LOCK_FILE = 'dpcap_recover.lock';
/** How long another recovery may take before this one gives up waiting for it. */
const LOCK_LIMIT_MS = 20_000;

/**
 * Disables what dead captures left enabled, waits until the primary's threads are out of the callbacks, and frees the
 * memory. Running captures are left alone. Of several recoveries at once, one waits for the other.
 * @param tell takes what the user should hear meanwhile
 * @throws DpcapError when the primary cannot be joined, ERR_CAPTURE_BUSY when another recovery does not end
 */
export async function recover(target: RecoverTarget, session: RecoverySession, tell: Tell): Promise<RecoverReport> {
  try {
    await lock(target.runtimeDir);
    return await clear(session, tell);
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

async function clear(session: RecoverySession, tell: Tell): Promise<RecoverReport> {
  const { owners } = await session.attach('nothing');
  const dead = owners.filter((owner) => !owner.running);
  const report: RecoverReport = {
    cleared: [],
    inDoubt: [],
    running: owners.filter((owner) => owner.running).map(({ name, pid, purpose }) => ({ name, pid, purpose })),
  };

  const requests = dead.flatMap(liveLanes).length;
  const [disabled] = await Promise.all([disable(session, dead, report), session.tellDelays(requests, tell)]);
  const obstacle = disabled.length === 0 ? undefined : await session.quiesce();
  for (const owner of disabled) {
    const problem = obstacle ?? (await free(session, owner.name));
    if (problem) {
      report.inDoubt.push({ name: owner.name, lanes: [problem] });
      continue;
    }
    const lanes = liveLanes(owner).length;
    report.cleared.push({ name: owner.name, pid: owner.pid, purpose: owner.purpose, lanes });
  }
  return report;
}

/** Returns those whose callbacks are all off now; the report has the others. */
async function disable(
  { addon }: RecoverySession,
  dead: readonly OwnerFacts[],
  report: RecoverReport,
): Promise<OwnerFacts[]> {
  const disabled: OwnerFacts[] = [];
  for (const owner of dead) {
    const lanes = await native(addon.disableOwner(owner.name));
    if (lanes.length === 0) disabled.push(owner);
    else report.inDoubt.push({ name: owner.name, lanes });
  }
  return disabled;
}

const liveLanes = ({ lanes }: OwnerFacts): OwnerFacts['lanes'] => lanes.filter(({ live }) => live);

/** Frees what a dead capture left. Returns undefined, or why something is left, which the next recovery can free. */
async function free(session: RecoverySession, name: string): Promise<string | undefined> {
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
