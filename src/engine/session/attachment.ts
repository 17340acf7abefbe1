/** Joins a primary for a capture or a recovery: attaches, and puts dpcap's mempool handlers into its order. */
import { join } from 'node:path';
import { DpcapError, errnoOf } from '../../errors.js';
import { type Dpdk, hostAddon, joiningAddon, type PdumpAddon } from '../../native/addons.js';
import { checked, native, type Way } from '../../native/errors.js';
import type { AttachedFacts, RawPoolFacts } from '../../native/primary-binding.js';
import { FORWARDING_RELEASE } from '../../native/releases.js';
import { agreeOnOps } from '../../primary/memory/agree-on-ops.js';
import { readOpsTable } from '../../primary/memory/mempool-ops.js';
import { inferRingBlock, type PoolFacts, type RingSync } from '../../primary/memory/ring-block.js';
import { type Copier, refuseOtherOrder } from '../../primary/memory/secondary-ops.js';
import { findSecondaries } from '../../primary/secondaries.js';
import { mayStarve, silenceError, silentProcesses, stoppedProcesses } from '../../primary/silent-processes.js';
import type { CriticalSections } from '../../protocol/critical-sections.js';
import { isRunning } from '../../system/process.js';
import {
  askParticipants,
  delayedEnd,
  FORWARD_WAIT_S,
  judgeParticipants,
  type Participant,
  type Tell,
} from './pdump-participants.js';
import { procThreads, waitForQuiescence } from './quiescence.js';

/** The names of dpcap's own pools begin like this (owner_record.cc). */
const OURS = /^dpcap_\d+_/;
const SYNC: RingSync[] = ['mt', 'st', 'rts', 'hts'];

/** The primary has to answer within this time before it is asked for memory, for which EAL gives it 5 s. */
const ANSWER_LIMIT_MS = 4000;

/** The primary to join. */
export interface SessionTarget {
  filePrefix: string;
  runtimeDir: string;
  primaryPid?: number | undefined;
  primaryStartTicks?: number | undefined;
  /** The primary's release of DPDK. */
  dpdk: Dpdk;
  /** The primary is a DPVS. */
  isDpvs?: boolean | undefined;
  /** See agreeOnOps. */
  trustMempools?: boolean | undefined;
}

/** An attached process. A process has one session in its whole life, which all its captures use. */
export class Session {
  readonly way: Way = 'pdump';
  readonly #target: SessionTarget;
  readonly sections: CriticalSections;
  #addon: PdumpAddon | undefined;
  #joined: Promise<void> | undefined;
  /** The captures that have begun and not left. */
  #users = 0;
  #isGone = false;
  /** The primary's mempool handlers by index; none before a capture has asked for them. */
  #order: readonly string[] = [];
  #endWatch: (() => void) | undefined;
  #tellGone: () => void = () => {};
  /** Resolves when the primary is gone and this process has let go of its files. attach() starts the watch. */
  readonly primaryGone: Promise<void>;

  constructor(target: SessionTarget, sections: CriticalSections) {
    this.#target = target;
    this.sections = sections;
    this.primaryGone = new Promise((resolve) => {
      this.#tellGone = resolve;
    });
  }

  /**
   * The addon for the primary's release.
   * @throws DpcapError as joiningAddon(), and ERR_PRIMARY_GONE
   */
  get addon(): PdumpAddon {
    // The names of its own libraries lead through its pid, which may be another process's by now.
    const { dpdk } = this.#target;
    if (!this.#addon && dpdk.libraries.length > 0 && !this.isPrimaryAlive()) throw this.#replaced();
    this.#addon ??= joiningAddon(dpdk);
    return this.#addon;
  }

  /** Ends every call that waits for the primary, now and later. */
  abandon(): void {
    this.#addon?.abandonCaptures();
    this.#addon?.abandonRecovery();
  }

  /**
   * Joins the primary and makes it safe to create objects in its memory.
   * @param makes whether objects will be made; a recovery uses no mempool, so it does not need the primary's numbering
   * @returns what the primary's shared memory says
   * @throws DpcapError ERR_EAL_INIT (a new process may try again), ERR_PRIMARY_NOT_CAPTURABLE, ERR_MEMPOOL_OPS,
   *   ERR_PRIMARY_GONE when another primary has taken its place, ERR_PRIMARY_STOPPED, ERR_SECONDARY_STOPPED,
   *   ERR_PRIMARY_TIMEOUT
   */
  async attach(makes: 'a mempool' | 'nothing' = 'a mempool'): Promise<AttachedFacts> {
    const silence = await this.obstacle();
    if (silence) throw silence;
    this.#joined ??= this.#join();
    await this.#joined;
    if (!this.isPrimaryAlive()) throw this.#replaced();
    const facts = await this.sections.inside('attach', () => native(this.addon.facts()));
    if (!facts.pdumpReady) {
      throw new DpcapError('ERR_PRIMARY_NOT_CAPTURABLE', 'the primary has not called rte_pdump_init()', {
        hint: 'call rte_pdump_init() after rte_eal_init() in the application',
        subject: this.#target.filePrefix,
      });
    }
    this.#order = makes === 'nothing' ? [] : this.#opsOrder(facts);
    checked(() => this.addon.alignOps([...this.#order]));
    return facts;
  }

  async #join(): Promise<void> {
    this.#watch();
    if (this.#target.isDpvs) this.addon.expectDpvs();
    await this.sections.inside('attach', () =>
      native(this.addon.attach(this.#target.filePrefix, this.#target.dpdk.isLean === true)),
    );
  }

  /** Says that one more capture uses the session, until it calls detach(). */
  begin(): void {
    this.#users++;
  }

  /** From here on this process lets go of the primary's files once that is gone, and waits for none of its locks. */
  #watch(): void {
    const { runtimeDir, primaryPid } = this.#target;
    this.#endWatch = this.addon.watchPrimary(runtimeDir, primaryPid ?? 0, () => {
      this.#isGone = true;
      this.abandon();
      this.sections.primaryDied();
      this.#tellGone();
    });
  }

  /**
   * Leaves the primary if it was joined, and no other capture uses the session. Nothing that dpcap has in the primary
   * may be in use any more then.
   */
  async detach(): Promise<void> {
    this.#users = Math.max(0, this.#users - 1);
    const isJoined = await this.#joined?.then(
      () => true,
      () => false,
    );
    if (!isJoined || this.#users > 0 || this.sections.current) return;
    this.#joined = undefined;
    await this.sections.inside('detach', () => native(this.addon.detach()));
    this.#endWatch?.();
  }

  /** Whether the primary that was joined still holds its lock: another one may have taken its place. */
  isPrimaryAlive(): boolean {
    const { runtimeDir, primaryPid, primaryStartTicks } = this.#target;
    if (this.#isGone) return false;
    if (primaryPid !== undefined && primaryStartTicks !== undefined && !isRunning(primaryPid, primaryStartTicks)) {
      return false;
    }
    try {
      const holder = hostAddon().lockHolder(join(runtimeDir, 'config'));
      return holder.locked && (primaryPid === undefined || holder.pid === primaryPid);
    } catch (error) {
      // A primary that ends in order may remove its files; where its pid is known, the watch reports its end. Other
      // errors say nothing.
      return primaryPid !== undefined || errnoOf(error) !== 'ENOENT';
    }
  }

  /** The reason not to ask the primary for memory now, if there is one. */
  async obstacle(): Promise<DpcapError | undefined> {
    return silenceError(await silentProcesses(this.#target));
  }

  /** Whether a process that shares the primary's memory is stopped at this moment. */
  hasStopped(): boolean {
    return stoppedProcesses(this.#target).length > 0;
  }

  /**
   * Waits until the primary and all processes that share its memory can be asked for memory: a request that is answered
   * too late can crash the primary. A primary that gets a CPU only when nobody else wants it has to answer a harmless
   * question first.
   * @throws DpcapError ERR_PRIMARY_STOPPED, ERR_SECONDARY_STOPPED, ERR_PRIMARY_TIMEOUT
   */
  async answered(): Promise<void> {
    const patience = { deafMs: ANSWER_LIMIT_MS, stoppedMs: ANSWER_LIMIT_MS };
    const silence = silenceError(await silentProcesses(this.#target, patience));
    if (silence) throw silence;
    if (!mayStarve(this.#target) || (await native(this.addon.primaryAnswers(ANSWER_LIMIT_MS)))) return;
    const message = `the primary has not answered within ${ANSWER_LIMIT_MS / 1000} s; it was not asked for memory`;
    throw new DpcapError('ERR_PRIMARY_TIMEOUT', message, {
      subject: this.#target.filePrefix,
      hint: 'is it starved of CPU time, or in a debugger? Try again when it runs',
    });
  }

  /** See waitForQuiescence. */
  quiesce(): Promise<string | undefined> {
    const { runtimeDir, primaryPid } = this.#target;
    if (primaryPid === undefined) return waitForQuiescence(() => undefined);
    return waitForQuiescence(procThreads([primaryPid, ...this.#otherPollers(runtimeDir)]));
  }

  /**
   * Asks the other secondaries whether they take part in the primary's pdump, where that matters, and tells what the user
   * should know.
   * @param requests how many requests a capture will make to begin
   * @returns how much longer than usual these may take, in ms
   * @throws DpcapError ERR_SECONDARY_STOPPED, see judgeParticipants(); ERR_MEMPOOL_OPS, see refuseOtherOrder()
   */
  async participants(requests: number, tell: Tell): Promise<number> {
    const asked = await this.#ask('late', tell);
    const known = judgeParticipants(asked, requests);
    refuseOtherOrder(this.#order, this.#copiers(asked), this.#target.trustMempools === true);
    if (known === undefined) return 0;
    tell(known);
    return requests * FORWARD_WAIT_S * 1000;
  }

  /**
   * Tells whom the primary waits for while it carries out so many requests to end. Whoever stopped, or joined, since
   * packets flow was not known before. Never rejects: that somebody cannot be asked changes nothing.
   */
  async tellDelays(requests: number, tell: Tell): Promise<void> {
    const asked = await this.#ask('at once', tell).catch(() => []);
    const stopped = stoppedProcesses(this.#target).map(({ pid }) => pid);
    const known = delayedEnd(asked, requests, stopped);
    if (known !== undefined && requests > 0) tell(known);
  }

  #copiers(asked: readonly Participant[]): Copier[] {
    const { opsLayout } = this.addon;
    const copiers = asked.filter(({ answers, ours }) => answers !== 'never' && !ours);
    return copiers.map(({ pid, program }) => ({ pid, program, ops: readOpsTable(pid, opsLayout) }));
  }

  async #ask(patience: 'at once' | 'late', tell: Tell): Promise<Participant[]> {
    if (this.addon.dpdkVersionNumber < FORWARDING_RELEASE) return [];
    const others = findSecondaries(this.#target.runtimeDir).filter(({ pid }) => pid !== process.pid);
    return askParticipants(this.addon, others, patience, tell);
  }

  /** From DPDK 25.11 on the primary has its secondaries make copies, too. */
  #otherPollers(runtimeDir: string): number[] {
    if (this.addon.dpdkVersionNumber < FORWARDING_RELEASE) return [];
    return findSecondaries(runtimeDir).flatMap(({ pid }) => (pid === process.pid ? [] : [pid]));
  }

  #replaced(): DpcapError {
    return new DpcapError(
      'ERR_PRIMARY_GONE',
      'the primary ended while dpcap joined it; nothing was asked of its successor',
      {
        subject: this.#target.filePrefix,
        hint: 'start again, to capture from the one that runs now',
      },
    );
  }

  #opsOrder(facts: AttachedFacts): string[] {
    const { primaryPid } = this.#target;
    const layout = this.addon.opsLayout;
    const exact = primaryPid
      ? readOpsTable(primaryPid, layout)
      : ({ names: undefined, reason: 'its process is not visible from here' } as const);
    const inferred = inferRingBlock(facts.pools.map(poolFacts), facts.ownOps);
    return agreeOnOps(exact, inferred, facts.ownOps, { maxOps: layout.maxOps, trust: this.#target.trustMempools });
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
