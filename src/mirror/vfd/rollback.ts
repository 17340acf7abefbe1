/** Goes back to what was mirrored before, by VFd's run-time command. Reads the state first and last; safe to repeat. */
import { DpcapError } from '../../errors.js';
import { isSameMirror, type Mirror, type VfId } from '../controller.js';
import { describeVf } from '../resolve.js';
import type { VfdClient } from './protocol/client.js';
import type { MirrorTable } from './protocol/tables.js';

/** What became of the mirror. left: it is left alone, because somebody else has changed it. */
export type PutBack = 'restored' | 'was off' | 'left';

/** VFd has changed its list, but the NIC has not done what was asked: nobody can tell what is mirrored. */
export class NicRefusal extends DpcapError {
  constructor(mirror: Mirror, wanted: Mirror | undefined, cause: DpcapError) {
    const state = wanted ? 'set' : 'off';
    super('ERR_MIRROR_REFUSED', `VFd lists the mirror of ${describeVf(mirror)} as ${state}, but its NIC refused`, {
      cause,
      subject: describeVf(mirror),
      hint: `${cause.message}; look at the target whether it still gets packets. VFd ends all mirrors when it ends`,
    });
  }
}

/**
 * Switches `ours` off, or back to `previous`.
 * @param refused the NIC has refused that before; it is then asked again, also when VFd lists no mirror or `previous`
 * @throws DpcapError when `ours` is still on afterwards, or nobody can tell
 */
export async function putBack(
  client: VfdClient,
  ours: Mirror,
  previous: Mirror | undefined,
  refused = false,
): Promise<PutBack> {
  const now = mirrorOf(await client.showMirrors(), ours);
  if (!now && !refused) return 'was off';
  if (now && !isSameMirror(now, ours) && !(refused && isSameMirror(now, previous))) return 'left';
  await switchTo(client, ours, previous);
  return 'restored';
}

/**
 * Switches off a mirror that is on, or changes it to `wanted`, and checks the result.
 * @throws NicRefusal when VFd's list says so and the NIC refused; DpcapError when the list does not say so
 */
export async function switchTo(client: VfdClient, now: Mirror, wanted: Mirror | undefined): Promise<void> {
  const failure = await attempt(wanted ? client.mirrorOn(wanted) : client.mirrorOff(now));
  const after = mirrorOf(await client.showMirrors(), now);
  if (!isSameMirror(after, wanted)) {
    throw failure ?? disagrees(now, after);
  }
  if (failure?.code === 'ERR_MIRROR_REFUSED') throw new NicRefusal(now, wanted, failure);
}

/**
 * The mirror of one VF.
 * @throws DpcapError ERR_MIRROR_BAD_ANSWER when VFd's list is cut and the VF is not in what came
 */
export function mirrorOf({ mirrors, isComplete }: MirrorTable, { pf, vf }: VfId): Mirror | undefined {
  const found = mirrors.find((mirror) => mirror.pf === pf && mirror.vf === vf);
  if (found || isComplete) return found;
  const name = describeVf({ pf, vf });
  throw new DpcapError(
    'ERR_MIRROR_BAD_ANSWER',
    `VFd's list of mirrors is cut: whether ${name} is mirrored is unknown`,
    {
      subject: name,
      hint: 'clear mirrors that are not needed: dpcap mirror list',
    },
  );
}

/**
 * Returns a failure whose request VFd may have carried out all the same: the caller reads the state back. Throws other
 * failures.
 */
export async function attempt(request: Promise<void>): Promise<DpcapError | undefined> {
  try {
    await request;
    return undefined;
  } catch (error) {
    const doubtful = ['ERR_MIRROR_REFUSED', 'ERR_MIRROR_NO_ANSWER', 'ERR_MIRROR_BAD_ANSWER'];
    if (error instanceof DpcapError && doubtful.includes(error.code)) return error;
    throw error;
  }
}

export function disagrees(asked: VfId, found: Mirror | undefined): DpcapError {
  const state = found ? `${found.direction} to VF ${found.target}` : 'no mirror';
  const message = `VFd reported success, but lists ${state} for ${describeVf(asked)}`;
  return new DpcapError('ERR_MIRROR_REFUSED', message, {
    hint: 'somebody else may be changing it: look with dpcap mirror list',
  });
}
