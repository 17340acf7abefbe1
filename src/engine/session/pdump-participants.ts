/**
 * Who takes part in the primary's pdump, from DPDK 25.11 on: the primary passes each request on to its secondaries, one by
 * one, and waits up to 5 s for each answer. One that never called rte_pdump_init() never answers: whoever is asked behind
 * it is not asked at all, and the primary's interrupt thread waits meanwhile (pdump_request_to_secondary of
 * lib/pdump/rte_pdump.c).
 */
import { DpcapError } from '../../errors.js';
import { native } from '../../native/errors.js';
import type { PrimaryBinding } from '../../native/primary-binding.js';
import { nameOfSecondary, type Secondary } from '../../primary/secondaries.js';

/** A secondary that takes part answers within microseconds. */
const ANSWER_MS = 300;
/** What the primary waits for one that does not. */
export const FORWARD_WAIT_S = 5;
/** Who answers later than this may answer too late for the primary. */
const LATE_MS = 4000;

/** Takes what the user should hear. */
export type Tell = (text: string) => void;

/** A secondary, and when it answers. */
export type Participant = Pick<Secondary, 'pid' | 'program' | 'ours'> & { answers: 'at once' | 'late' | 'never' };

/**
 * Asks all of them at once. Each has one question, whose answer is waited for: a second one would wait behind the first.
 * @param patience `late` waits for those that answer late, and says so meanwhile
 */
export function askParticipants(
  addon: Pick<PrimaryBinding, 'answersPdump'>,
  secondaries: readonly Secondary[],
  patience: 'at once' | 'late',
  tell: Tell,
): Promise<Participant[]> {
  return Promise.all(
    secondaries.map(async ({ pid, program, ours, socket }) => {
      const participant = { pid, program, ours };
      let answers: Participant['answers'] = 'at once';
      const late = setTimeout(() => {
        answers = 'late';
        if (patience === 'late')
          tell(
            `${nameOfSecondary(participant)} does not answer at once; it is waited for, ${LATE_MS / 1000} s at most`,
          );
      }, ANSWER_MS);
      const limitMs = patience === 'late' ? LATE_MS : ANSWER_MS;
      const hasAnswered = await native(addon.answersPdump(socket, limitMs)).finally(() => clearTimeout(late));
      return { ...participant, answers: hasAnswered ? answers : 'never' };
    }),
  );
}

/**
 * Judges whether a capture beside them is whole. Pure.
 * @param requests how many requests the capture makes to begin, and again to end
 * @returns what the user should know; undefined when all take part
 * @throws DpcapError ERR_SECONDARY_STOPPED when one that takes part, and may poll queues, would not be asked
 */
export function judgeParticipants(participants: readonly Participant[], requests: number): string | undefined {
  const silent = participants.filter(({ answers }) => answers === 'never');
  const [first] = silent;
  if (!first) return lateText(participants, requests);
  const names = silent.map(nameOfSecondary).join(' and ');
  const seconds = FORWARD_WAIT_S * requests;
  const wait = `the primary waits ${FORWARD_WAIT_S} s for it at each of ${requests} requests: ${seconds} s until packets are captured, and ${seconds} s at the end`;
  const unasked = participants.find(({ answers, ours }) => answers !== 'never' && !ours);
  if (!unasked) return `${names} has not called rte_pdump_init() and never answers: ${wait}; end it to be quicker`;
  throw new DpcapError(
    'ERR_SECONDARY_STOPPED',
    `${names} has not called rte_pdump_init(), so the primary may not ask ${nameOfSecondary(unasked)} for its packets`,
    {
      subject: String(first.pid),
      hint: `end ${nameOfSecondary(first)}, or have it call rte_pdump_init() after rte_eal_init(); then start again`,
    },
  );
}

/** The primary waits for these, and goes on to the next: nothing is missing. */
function lateText(participants: readonly Participant[], requests: number): string | undefined {
  const late = participants.filter(({ answers }) => answers === 'late');
  if (late.length === 0) return undefined;
  const names = late.map(nameOfSecondary).join(' and ');
  return `${names} answers late: the primary waits for it at each of ${requests} requests to begin, and again to end`;
}

/**
 * What the user should know while callbacks are being disabled. Pure.
 * @param stopped the pids of those that are stopped
 * @returns undefined when all answer at once
 */
export function delayedEnd(
  participants: readonly Participant[],
  requests: number,
  stopped: readonly number[],
): string | undefined {
  const silent = participants.filter(({ answers }) => answers !== 'at once');
  if (silent.length === 0) return undefined;
  const who = silent.map(
    (one) => `${nameOfSecondary(one)} ${stopped.includes(one.pid) ? 'is stopped' : 'does not answer'}`,
  );
  const wayOut = silent.some(({ pid }) => stopped.includes(pid)) ? 'let it go on (kill -CONT), or end it' : 'end it';
  return `${who.join(' and ')}: the primary waits up to ${FORWARD_WAIT_S} s for it at each of ${requests} requests to end, up to ${FORWARD_WAIT_S * requests} s; ${wayOut} to be quicker`;
}
