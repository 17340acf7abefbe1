/** What goes on in the addon when the primary dies: it may go on for ever, waiting for a lock that the primary died with. */
import { setTimeout as sleep } from 'node:timers/promises';
import { DpcapError } from '../errors.js';

/** Work that was given up: its thread is not to be waited for, nor the addon asked for anything more. */
export class StuckError extends DpcapError {}

/**
 * What `work` gives.
 * @throws StuckError ERR_PRIMARY_GONE when it goes on for `limitMs` after the primary's death
 */
export async function unlessStuck<T>(
  work: Promise<T>,
  { primaryGone, filePrefix }: { primaryGone: Promise<void>; filePrefix: string },
  limitMs: number,
): Promise<T> {
  const over = new AbortController();
  const stuck = primaryGone.then(async () => {
    await sleep(limitMs, undefined, { signal: over.signal });
    throw new StuckError('ERR_PRIMARY_GONE', 'the primary process exited while dpcap was at work in its memory', {
      subject: filePrefix,
      hint: 'start it again',
    });
  });
  stuck.catch(() => undefined); // `work` was first
  return Promise.race([work, stuck]).finally(() => over.abort());
}

/** For catch(): nothing for work that was given up. */
export function unlessGivenUp(error: unknown): undefined {
  if (!(error instanceof StuckError)) throw error;
  return undefined;
}
