/**
 * The critical sections of an engine: what it does while EAL may hold a lock in the primary's memory. Whoever is killed
 * there may leave that lock held, and the primary's next allocation would wait for ever. So they are announced, and
 * nobody of ours kills an engine inside one.
 */
import { DpcapError } from '../errors.js';

/** What each is for, in words that complete "the engine is ...". */
export const SECTIONS = {
  attach: 'joining the primary',
  allocate: "taking memory from the primary's huge pages",
  free: 'giving memory back to the primary',
  clear: 'clearing up after a capture that died',
  detach: 'leaving the primary',
} as const;

export type SectionName = keyof typeof SECTIONS;

/**
 * How long each may take before it is given up waiting for. An attach takes 30 ms; memory comes in pieces of a millisecond
 * each, or EAL gives up after 5 s.
 */
const LIMIT_MS: Record<SectionName, number> = {
  attach: 10_000,
  allocate: 15_000,
  free: 60_000,
  clear: 60_000,
  detach: 10_000,
};

/** The sections of this process. */
export class CriticalSections {
  readonly #announce: (name: SectionName | undefined) => void;
  readonly #inside = new Set<SectionName>();
  #whenOutside: (() => void) | undefined;

  /** @param announce told before the first is entered and after the last is left */
  constructor(announce: (name: SectionName | undefined) => void) {
    this.#announce = announce;
  }

  /** The one that this process is in, or was in when it was given up waiting for. */
  get current(): SectionName | undefined {
    return [...this.#inside][0];
  }

  /**
   * Does `work` inside of a section.
   * @throws what `work` throws; DpcapError ERR_PRIMARY_TIMEOUT when it has not ended in time: then the section is never left
   */
  async inside<T>(name: SectionName, work: () => Promise<T>): Promise<T> {
    this.#inside.add(name);
    this.#announce(name);
    const done = work().finally(() => this.#leave(name));
    return await limited(done, LIMIT_MS[name], () => stuck(name));
  }

  /** Calls `act` now, or once no section is entered any more. */
  whenOutside(act: () => void): void {
    if (this.#inside.size === 0) act();
    else this.#whenOutside = act;
  }

  #leave(name: SectionName): void {
    this.#inside.delete(name);
    this.#announce(this.current);
    if (this.#inside.size === 0) this.#whenOutside?.();
  }
}

function stuck(name: SectionName): DpcapError {
  return new DpcapError(
    'ERR_PRIMARY_TIMEOUT',
    `${SECTIONS[name]} has not ended after ${LIMIT_MS[name] / 1000} s: the primary does not go on, or a lock in its memory is held`,
    {
      hint:
        'is it stopped, or starved of CPU time? If a process was killed while it held the lock, ' +
        'the primary itself will hang at its next allocation and has to be restarted',
    },
  );
}

/** The result of `work`, or the error of `late` when it takes longer than `ms`. */
async function limited<T>(work: Promise<T>, ms: number, late: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), ms);
  });
  work.catch(() => undefined); // after the limit nobody waits for it
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}
