/** A session with a primary and an addon that are not there: what it is told is in its fields, for tests to set. */

import type { CaptureSession } from '../../../src/engine/session/capture-session.js';
import type { NativeStats } from '../../../src/native/capture-binding.js';
import type { Way } from '../../../src/native/errors.js';
import { CriticalSections } from '../../../src/protocol/critical-sections.js';
import type { Binding } from '../../helpers/native.js';
import { FakeCaptures } from './fake-captures.js';

export { IDLE } from './fake-captures.js';

const HEAP = { freeBytes: 2 ** 30, greatestBytes: 2 ** 30, totalBytes: 2 ** 30, pageBytes: 2 ** 21 };

export class FakeSession implements CaptureSession {
  readonly captures = new FakeCaptures();
  alive = true;
  way: Way = 'pdump';
  /** A capture uses no others of the addon's functions. */
  readonly addon = this.captures as FakeCaptures & Binding;
  readonly sections = new CriticalSections(() => {});
  #tellGone: () => void = () => {};
  readonly primaryGone = new Promise<void>((resolve) => {
    this.#tellGone = resolve;
  });

  /** Resolves with the function that the addon was given. */
  get started(): Promise<() => void> {
    return this.captures.started;
  }

  set stats(stats: NativeStats) {
    this.captures.stats = stats;
  }

  set onStart(onStart: (notify: () => void) => void) {
    this.captures.onStart = onStart;
  }

  begin(): void {}

  async attach() {
    const ports = [{ id: 0, name: 'net_null0', rxQueues: 1, txQueues: 1 }];
    return { ports, pools: [], ownOps: [], owners: [], pdumpReady: true, heap: HEAP, log: '' };
  }

  /** The primary ends, and the session is told. */
  die(): void {
    this.alive = false;
    this.#tellGone();
  }

  async detach(): Promise<void> {}

  async obstacle(): Promise<undefined> {
    return undefined;
  }

  async answered(): Promise<void> {}

  async participants(): Promise<number> {
    return 0;
  }

  /** Whom the primary waits for at the end of a capture, as tellDelays() tells it. */
  delays: string | undefined;

  async tellDelays(requests: number, tell: (text: string) => void): Promise<void> {
    if (this.delays !== undefined) tell(`${this.delays} at ${requests} requests`);
  }

  hasStopped(): boolean {
    return false;
  }

  async quiesce(): Promise<undefined> {}

  isPrimaryAlive(): boolean {
    return this.alive;
  }
}
