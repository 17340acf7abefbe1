/** Joining a primary for a capture or a recovery: attach, and put our mempool handlers into its order. */
import { join } from 'node:path';
import { type AttachedFacts, type Binding, binding, type RawPoolFacts } from '../binding.js';
import { DpcapError, errnoOf } from '../errors.js';
import { agreeOnOps } from '../primary/agree-on-ops.js';
import { readPrimaryOps } from '../primary/mempool-ops.js';
import { inferRingBlock, type PoolFacts, type RingSync } from '../primary/ring-block.js';
import { findSecondaries } from '../primary/secondaries.js';
import { unlessGivenUp, unlessStuck } from './after-death.js';
import { native } from './native-error.js';
import { procThreads, waitForQuiescence } from './quiesce.js';

/** Names of our pools begin like this (owner.cc). */
const OURS = /^dpcap_\d+_/;
const SYNC: RingSync[] = ['mt', 'st', 'rts', 'hts'];

/** 25.11.0 as RTE_VERSION. */
const FORWARDING_RELEASE = 0x190b0000;

/** How long joining and leaving may take after the primary's death: a fraction of a second is what it takes otherwise. */
const JOIN_LIMIT_MS = 1000;

/** Which primary to join. */
export interface SessionTarget {
  filePrefix: string;
  runtimeDir: string;
  primaryPid?: number | undefined;
}

let joining = false;

/** Whether EAL is joining a primary, from which nothing calls it back. */
export function isJoining(): boolean {
  return joining;
}

/** An attached process: one for its whole life. */
export class Session {
  readonly #target: SessionTarget;
  readonly addon: Binding = binding();
  #attached = false;
  #endWatch: (() => void) | undefined;
  #isGone = false;
  /** Resolves when the primary is gone, and this process has let go of its files; watched for from attach() on. */
  readonly primaryGone: Promise<void>;
  #tellGone: () => void = () => {};

  constructor(target: SessionTarget) {
    this.#target = target;
    this.primaryGone = new Promise((resolve) => {
      this.#tellGone = resolve;
    });
  }

  /**
   * Joins the primary and makes it safe to create objects in its memory.
   * @returns what its shared memory says
   * @throws DpcapError ERR_EAL_INIT (a new process may try again), ERR_PRIMARY_NOT_CAPTURABLE, ERR_MEMPOOL_OPS
   */
  async attach(): Promise<AttachedFacts> {
    this.#watch();
    await this.#join();
    const facts = this.addon.facts();
    if (!facts.pdumpReady) {
      throw new DpcapError('ERR_PRIMARY_NOT_CAPTURABLE', 'the primary has not called rte_pdump_init()', {
        hint: 'call rte_pdump_init() after rte_eal_init() in the application',
        subject: this.#target.filePrefix,
      });
    }
    this.addon.alignOps(this.#opsOrder(facts));
    return facts;
  }

  async #join(): Promise<void> {
    joining = true;
    try {
      const { filePrefix } = this.#target;
      const joined = native(this.addon.attach(filePrefix));
      await unlessStuck(joined, { primaryGone: this.primaryGone, filePrefix }, JOIN_LIMIT_MS);
    } finally {
      joining = false;
    }
    this.#attached = true;
  }

  #watch(): void {
    const { runtimeDir, primaryPid } = this.#target;
    this.#endWatch = this.addon.watchPrimary(runtimeDir, primaryPid ?? 0, () => {
      this.#isGone = true;
      this.#tellGone();
    });
  }

  /** Leaves, if it had joined. Nothing of ours may be in use any more. */
  async detach(): Promise<void> {
    if (!this.#attached) return;
    this.#attached = false;
    const { primaryGone } = this;
    const { filePrefix } = this.#target;
    await unlessStuck(native(this.addon.detach()), { primaryGone, filePrefix }, JOIN_LIMIT_MS).catch(unlessGivenUp);
    this.#endWatch?.();
  }

  /** Whether the primary that was joined still holds its lock: another one may have taken its place. */
  isPrimaryAlive(): boolean {
    const { runtimeDir, primaryPid } = this.#target;
    if (this.#isGone) return false;
    try {
      const holder = this.addon.lockHolder(join(runtimeDir, 'config'));
      return holder.locked && (primaryPid === undefined || holder.pid === primaryPid);
    } catch (error) {
      // A primary that ends in order may take its files along. Anything else says nothing about it.
      return errnoOf(error) !== 'ENOENT';
    }
  }

  /** See waitForQuiescence. */
  quiesce(): Promise<string | undefined> {
    const { runtimeDir, primaryPid } = this.#target;
    if (primaryPid === undefined) return waitForQuiescence(() => undefined);
    return waitForQuiescence(procThreads([primaryPid, ...this.#otherPollers(runtimeDir)]));
  }

  /** From 25.11 on the primary has its secondaries make copies, too. */
  #otherPollers(runtimeDir: string): number[] {
    if (this.addon.dpdkVersionNumber < FORWARDING_RELEASE) return [];
    return findSecondaries(runtimeDir).flatMap(({ pid }) => (pid === process.pid ? [] : [pid]));
  }

  #opsOrder(facts: AttachedFacts): string[] {
    const { primaryPid } = this.#target;
    const layout = this.addon.opsLayout;
    const exact = primaryPid
      ? readPrimaryOps(primaryPid, layout)
      : ({ names: undefined, reason: 'its process is not visible from here' } as const);
    const inferred = inferRingBlock(facts.pools.map(poolFacts), facts.ownOps);
    return agreeOnOps(exact, inferred, facts.ownOps, layout.maxOps);
  }
}

function poolFacts(pool: RawPoolFacts): PoolFacts {
  return {
    name: pool.name,
    opsIndex: pool.opsIndex,
    flags: pool.flags,
    isRing: pool.isRing,
    prodSync: SYNC[pool.prodSync] ?? 'mt',
    consSync: SYNC[pool.consSync] ?? 'mt',
    owner: OURS.test(pool.name) ? 'ours' : 'primary',
  };
}
