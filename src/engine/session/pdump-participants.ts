/**
 * Who takes part in the primary's pdump, from DPDK 25.11 on: the primary passes each request on to its secondaries, one by
 * one, and waits up to 5 s for each answer. One that never called rte_pdump_init() never answers: whoever is asked behind
 * it is not asked at all, and the primary's interrupt thread waits meanwhile (pdump_request_to_secondary of
 * lib/pdump/rte_pdump.c).
 */
import { DpcapError } from '../../errors.js';
import { native } from '../../native/errors.js';
import type { PrimaryBinding } from '../../native/primary-binding.js';
import type { Secondary } from '../../primary/secondaries.js';

/** A secondary that takes part answers within microseconds. */
const ANSWER_MS = 300;
/** What the primary waits for one that does not. */
export const FORWARD_WAIT_S = 5;

/** A secondary, and whether it answers. */
export type Participant = Pick<Secondary, 'pid' | 'program' | 'ours'> & { answers: boolean };

/** Asks one after the other: each that takes part answers at once. */
export async function askParticipants(
  addon: Pick<PrimaryBinding, 'answersPdump'>,
  secondaries: readonly Secondary[],
): Promise<Participant[]> {
  const asked: Participant[] = [];
  for (const { pid, program, ours, socket } of secondaries) {
    asked.push({ pid, program, ours, answers: await native(addon.answersPdump(socket, ANSWER_MS)) });
  }
  return asked;
}

/**
 * Judges whether a capture beside them is whole. Pure.
 * @param requests how many requests the capture makes to begin, and again to end
 * @returns what the user should know; undefined when all take part
 * @throws DpcapError ERR_SECONDARY_STOPPED when one that takes part, and may poll queues, would not be asked
 */
export function judgeParticipants(participants: readonly Participant[], requests: number): string | undefined {
  const silent = participants.filter(({ answers }) => !answers);
  const [first] = silent;
  if (!first) return undefined;
  const names = silent.map(nameOf).join(' and ');
  const seconds = FORWARD_WAIT_S * requests;
  const wait = `the primary waits ${FORWARD_WAIT_S} s for it at each of ${requests} requests: ${seconds} s until packets are captured, and ${seconds} s at the end`;
  const unasked = participants.find(({ answers, ours }) => answers && !ours);
  if (!unasked) return `${names} has not called rte_pdump_init() and never answers: ${wait}; end it to be quicker`;
  throw new DpcapError(
    'ERR_SECONDARY_STOPPED',
    `${names} has not called rte_pdump_init(), so the primary may not ask ${nameOf(unasked)} for its packets`,
    {
      subject: String(first.pid),
      hint: `end ${nameOf(first)}, or have it call rte_pdump_init() after rte_eal_init(); then start again`,
    },
  );
}

const nameOf = ({ pid, program }: Participant): string => `${program ?? 'a process'} (pid ${pid})`;
