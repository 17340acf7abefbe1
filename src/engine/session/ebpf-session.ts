/** A session with an application in which the kernel sets probes. Nothing of it is joined, and nothing stays in it. */
import { DpcapError } from '../../errors.js';
import { ebpfAddon } from '../../native/addons.js';
import type { AttachedFacts } from '../../native/primary-binding.js';
import { CriticalSections } from '../../protocol/critical-sections.js';
import type { EnginePlan } from '../../protocol/plan.js';
import { isRunning } from '../../system/process.js';
import type { CaptureSession } from './capture-session.js';

type Target = NonNullable<EnginePlan['ebpf']>;

export class EbpfSession implements CaptureSession {
  readonly #target: Pick<Target, 'processes' | 'ports'>;
  readonly way = 'ebpf';
  readonly addon = ebpfAddon();
  /** No lock of the application's is taken. */
  readonly sections = new CriticalSections(() => {});
  /** Each look at the application tells its end. */
  readonly primaryGone = new Promise<void>(() => {});

  constructor(target: Pick<Target, 'processes' | 'ports'>) {
    this.#target = target;
  }

  begin(): void {}

  /** @throws DpcapError ERR_PRIMARY_GONE when one of its processes has ended: another one may have its pid by now */
  async attach(): Promise<AttachedFacts> {
    const gone = this.#target.processes.find(({ pid, startTicks }) => !isRunning(pid, startTicks));
    if (gone) {
      throw new DpcapError('ERR_PRIMARY_GONE', `process ${gone.pid} ended before probes were set on it`, {
        errno: 'ESRCH',
        hint: 'run dpcap again',
      });
    }
    const heap = { freeBytes: 0, greatestBytes: 0, totalBytes: 0, pageBytes: 0 };
    return { heap, ports: this.#target.ports, pools: [], ownOps: [], owners: [], pdumpReady: true, log: '' };
  }

  /** Whether one of its processes is. */
  isPrimaryAlive(): boolean {
    return this.#target.processes.some(({ pid, startTicks }) => isRunning(pid, startTicks));
  }

  async obstacle(): Promise<undefined> {}
  async answered(): Promise<void> {}
  async participants(): Promise<undefined> {}
  /** The kernel takes a probe out when no thread is in its program any more. */
  async quiesce(): Promise<undefined> {}
  async detach(): Promise<void> {}

  hasStopped(): boolean {
    return false;
  }
}
