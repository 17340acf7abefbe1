/** Chooses the black box that is meant. Pure. */
import { DpcapError } from '../errors.js';
import type { BoxFacts } from '../native/recorder-binding.js';

/** As much of a box as a choice needs. */
export interface Choosable {
  path: string;
  facts: Pick<BoxFacts, 'isRecording' | 'pid' | 'program' | 'filePrefix' | 'lastNs'>;
}

/**
 * The one that a person means who names no more than this: of several, the one of the application that lives.
 * @throws DpcapError ERR_RECORDER_ABSENT, ERR_RECORDER_AMBIGUOUS
 */
export function chooseBox<T extends Choosable>(boxes: readonly T[], pid: number | undefined): T {
  const wanted = pid === undefined ? boxes : boxes.filter(({ facts }) => facts.pid === pid);
  const living = wanted.filter(({ facts }) => facts.isRecording);
  const [first, second] = living.length > 0 ? living : wanted;
  if (first && !second) return first;
  if (first) throw ambiguous(living.length > 0 ? living : wanted);
  const whose = pid === undefined ? '' : ` of process ${pid}`;
  throw new DpcapError('ERR_RECORDER_ABSENT', `there is no recorder${whose}, and no black box that one left`, {
    subject: pid === undefined ? undefined : String(pid),
    hint: 'dpcap recorder on switches one on in a running application that has the agent; --box FILE names a copy of a box',
  });
}

function ambiguous(boxes: readonly Choosable[]): DpcapError {
  const names = boxes.map(({ path, facts }) => `${facts.filePrefix} (${facts.program}, pid ${facts.pid}): ${path}`);
  return new DpcapError('ERR_RECORDER_AMBIGUOUS', `there are ${boxes.length} black boxes that may be meant`, {
    hint: `choose one with --pid, or with --box:\n  ${names.join('\n  ')}`,
  });
}
