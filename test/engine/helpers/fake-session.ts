/** A session with a primary and an addon that are not there: what it is told is in its fields, for tests to set. */

import type { CaptureSession } from '../../../src/engine/capture-run.js';
import type { Binding } from '../../../src/native/binding.js';
import type { NativePlan, NativeStats } from '../../../src/native/capture-binding.js';
import { CriticalSections } from '../../../src/protocol/critical-sections.js';
import { lane } from './lane.js';

/** The figures of a capture that found nothing. */
export const IDLE: NativeStats = {
  lanes: [lane()],
  limitReached: false,
  sinkFailure: null,
  fileBytes: 24n,
  mbufs: 1023,
  clockSteps: 0,
  clockSetNs: 0n,
  mbufsFree: 1023,
  filteringHere: false,
  wantsMbufs: false,
  canSettle: false,
  memory: 0n,
};

const HEAP = { freeBytes: 2 ** 30, greatestBytes: 2 ** 30, totalBytes: 2 ** 30, pageBytes: 2 ** 21 };

export class FakeSession implements CaptureSession {
  stats = IDLE;
  alive = true;
  /** Resolves with the function that the addon was given. */
  readonly started: Promise<() => void>;
  /** Called inside startCapture. */
  onStart: (notify: () => void) => void = () => {};
  readonly addon: Binding;
  readonly sections = new CriticalSections(() => {});
  #begun: (notify: () => void) => void = () => {};
  #tellGone: () => void = () => {};
  readonly primaryGone = new Promise<void>((resolve) => {
    this.#tellGone = resolve;
  });

  constructor() {
    this.started = new Promise((resolve) => {
      this.#begun = resolve;
    });
    const verbs: Partial<Binding> = {
      dpdkVersion: '0',
      startCapture: async (_number: number, _plan: NativePlan, notify) => {
        this.onStart(notify);
        this.#begun(notify);
      },
      captureStats: () => this.stats,
      disableCapture: async () => [],
      finishCapture: async () => {},
      freeCapture: async () => true,
      growCapture: async () => false,
    };
    this.addon = verbs as Binding;
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

  hasStopped(): boolean {
    return false;
  }

  async quiesce(): Promise<undefined> {}

  isPrimaryAlive(): boolean {
    return this.alive;
  }
}
