/**
 * What sessions have in common that join nobody: with agents, with probes of the kernel's, with a file. They hold nothing
 * of an application's, so there is nothing to wait for, to ask or to leave.
 */
import type { AttachedFacts } from '../../native/primary-binding.js';
import { CriticalSections } from '../../protocol/critical-sections.js';

export abstract class UnjoinedSession {
  /** No lock is taken that somebody else needs. */
  readonly sections = new CriticalSections(() => {});
  /** Where there is an application, each look at it tells its end. */
  readonly primaryGone = new Promise<void>(() => {});

  begin(): void {}
  async obstacle(): Promise<undefined> {}
  async answered(): Promise<void> {}
  async participants(): Promise<number> {
    return 0;
  }
  async tellDelays(): Promise<void> {}
  /** Whoever copies packets says by himself when no thread of the application is inside any more. */
  async quiesce(): Promise<undefined> {}
  async detach(): Promise<void> {}

  hasStopped(): boolean {
    return false;
  }
}

/** The facts of one that has these ports, and none of an application's memory. */
export function unjoinedFacts(ports: AttachedFacts['ports']): AttachedFacts {
  const heap = { freeBytes: 0, greatestBytes: 0, totalBytes: 0, pageBytes: 0 };
  return { heap, ports, pools: [], ownOps: [], owners: [], pdumpReady: true, log: '' };
}
