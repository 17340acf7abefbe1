/**
 * The critical sections of an engine: the work during which EAL may hold a lock in the primary's memory. A process that
 * is killed there may leave that lock held, and the primary's next allocation would wait for ever. So the engine
 * announces its sections, and no process of dpcap kills an engine inside one.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { DpcapError } from '../errors.js';

/** What each section is for, in words that complete "the engine is ...". */
export const SECTIONS = {
  attach: 'joining the primary',
  allocate: "taking memory from the primary's huge pages",
  free: 'giving memory back to the primary',
  clear: 'clearing up after a capture that died',
  detach: 'leaving the primary',
} as const;

export type SectionName = keyof typeof SECTIONS;

/**
 * How long each section may take before the wait for it is given up. An attach takes 30 ms. Memory comes in pieces of a
 * millisecond each, or EAL gives up after 5 s.
 */
const LIMIT_MS: Record<SectionName, number> = {
  attach: 10_000,
  allocate: 15_000,
  free: 60_000,
  clear: 60_000,
  detach: 10_000,
};

/** The limit after the primary's death, because a lock may then be held for ever. */
const AFTER_DEATH_MS = 2000;

/** Does work while no other engine of the same primary does such work. */
export type Alone = <T>(work: () => Promise<T>) => Promise<T>;

/** The sections of this process. */
export class CriticalSections {
  readonly #announce: (name: SectionName | undefined) => void;
  readonly #alone: Alone;
  /** One entry for each: several captures of this process may be in sections of the same name. */
  readonly #inside: SectionName[] = [];
  #whenOutside: (() => void) | undefined;
  readonly #died: Promise<void>;
  /** To be called when the primary is gone: work that is under way, or begins now, is not waited for much longer. */
  primaryDied: () => void = () => {};

  /**
   * @param announce called with each section that is entered, and when one is left, with another that is not, if any
   * @param alone does work while no other engine of the same primary is in a section
   */
  constructor(announce: (name: SectionName | undefined) => void, alone: Alone = (work) => work()) {
    this.#announce = announce;
    this.#alone = alone;
    this.#died = new Promise((resolve) => {
      this.primaryDied = resolve;
    });
  }

  /** The section that this process is in, also when the wait for its end was given up. */
  get current(): SectionName | undefined {
    return this.#inside[0];
  }

  /**
   * Does `work` inside a section.
   * @param patienceMs how much longer than usual it may take
   * @throws what `work` throws; when it has not ended in time, DpcapError ERR_PRIMARY_TIMEOUT or ERR_PRIMARY_GONE: the
   *   section may then never be left
   */
  async inside<T>(name: SectionName, work: () => Promise<T>, patienceMs = 0): Promise<T> {
    return await this.#alone(() => {
      this.#inside.push(name);
      this.#announce(name);
      const done = work().finally(() => this.#leave(name));
      done.catch(() => undefined); // after a limit nobody waits for it
      return this.#limited(done, name, patienceMs);
    });
  }

  /** Calls `act` now if this process is in no section, otherwise once it has left the last one. */
  whenOutside(act: () => void): void {
    if (this.#inside.length === 0) act();
    else this.#whenOutside = act;
  }

  async #limited<T>(work: Promise<T>, name: SectionName, patienceMs: number): Promise<T> {
    const over = new AbortController();
    const after = async (ms: number, error: DpcapError): Promise<never> => {
      await sleep(ms, undefined, { signal: over.signal });
      throw error;
    };
    const limits = [
      after(LIMIT_MS[name] + patienceMs, stuck(name, LIMIT_MS[name] + patienceMs)),
      this.#died.then(() => after(AFTER_DEATH_MS, orphaned())),
    ];
    for (const limit of limits) limit.catch(() => undefined); // for when `work` ends first
    return await Promise.race([work, ...limits]).finally(() => over.abort());
  }

  #leave(name: SectionName): void {
    this.#inside.splice(this.#inside.indexOf(name), 1);
    this.#announce(this.current);
    if (this.#inside.length === 0) this.#whenOutside?.();
  }
}

function stuck(name: SectionName, afterMs: number): DpcapError {
  return new DpcapError(
    'ERR_PRIMARY_TIMEOUT',
    `${SECTIONS[name]} has not ended after ${afterMs / 1000} s: the primary does not go on, or a lock in its memory is held`,
    {
      hint:
        'is it stopped, or starved of CPU time? If a process was killed while it held the lock, ' +
        'the primary itself will hang at its next allocation and has to be restarted',
    },
  );
}

function orphaned(): DpcapError {
  return new DpcapError('ERR_PRIMARY_GONE', 'the primary process exited while dpcap was at work in its memory', {
    hint: 'start it again',
  });
}
