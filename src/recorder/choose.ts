/** Chooses the black box that is meant. Pure. */
import { DpcapError } from '../errors.js';
import type { BoxFacts } from '../native/recorder-binding.js';
import { printable } from '../text/printable.js';

/** As much of a box as a choice needs. */
export interface Choosable {
  path: string;
  /** Its owner. */
  uid: number;
  facts: Pick<BoxFacts, 'isRecording' | 'pid' | 'program' | 'filePrefix' | 'lastNs'>;
}

/**
 * The one that a person means who names no more than this: of several, the one of the application that lives. What a box
 * says of itself is its owner's word, so nobody's box is preferred to that of another user.
 * @throws DpcapError ERR_RECORDER_ABSENT, ERR_RECORDER_AMBIGUOUS
 */
export function chooseBox<T extends Choosable>(boxes: readonly T[], pid: number | undefined): T {
  const wanted = pid === undefined ? boxes : boxes.filter(({ facts }) => facts.pid === pid);
  const living = wanted.filter(({ facts }) => facts.isRecording);
  const isOneUsers = new Set(wanted.map(({ uid }) => uid)).size === 1;
  const meant = isOneUsers && living.length > 0 ? living : wanted;
  const [first, second] = meant;
  if (first && !second) return first;
  if (first) throw ambiguous(meant, isOneUsers);
  const whose = pid === undefined ? '' : ` of process ${pid}`;
  throw new DpcapError('ERR_RECORDER_ABSENT', `there is no recorder${whose}, and no black box that one left`, {
    subject: pid === undefined ? undefined : String(pid),
    hint: 'dpcap recorder on switches one on in a running application that has the agent; --box FILE names a copy of a box',
  });
}

function ambiguous(boxes: readonly Choosable[], isOneUsers: boolean): DpcapError {
  const names = boxes.map(({ path, uid, facts: { filePrefix, program, pid } }) =>
    printable(`${filePrefix} (${program}, pid ${pid}${isOneUsers ? '' : `, of user ${uid}`}): ${path}`),
  );
  const whose = isOneUsers ? '' : ', of different users';
  return new DpcapError('ERR_RECORDER_AMBIGUOUS', `there are ${boxes.length} black boxes that may be meant${whose}`, {
    hint: `choose one with ${isOneUsers ? '--pid, or with ' : ''}--box:\n  ${names.join('\n  ')}`,
  });
}
