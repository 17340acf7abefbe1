/** A session with an application in which the kernel sets probes. Nothing of it is joined, and nothing stays in it. */
import { DpcapError } from '../../errors.js';
import { ebpfAddon } from '../../native/addons.js';
import type { AttachedFacts } from '../../native/primary-binding.js';
import { systemHost } from '../../primary/host.js';
import { type Reception, reception } from '../../primary/telemetry.js';
import type { EnginePlan } from '../../protocol/plan.js';
import { isRunning } from '../../system/process.js';
import type { CaptureSession } from './capture-session.js';
import { UnjoinedSession, unjoinedFacts } from './unjoined-session.js';

type Target = NonNullable<EnginePlan['ebpf']>;

export class EbpfSession extends UnjoinedSession implements CaptureSession {
  readonly #target: Pick<Target, 'processes' | 'ports' | 'telemetry'>;
  readonly way = 'ebpf';
  readonly addon = ebpfAddon();

  constructor(target: Pick<Target, 'processes' | 'ports' | 'telemetry'>) {
    super();
    this.#target = target;
  }

  /** @throws DpcapError ERR_PRIMARY_GONE when one of its processes has ended: another one may have its pid by now */
  async attach(): Promise<AttachedFacts> {
    const gone = this.#target.processes.find(({ pid, startTicks }) => !isRunning(pid, startTicks));
    if (gone) {
      throw new DpcapError('ERR_PRIMARY_GONE', `process ${gone.pid} ended before probes were set on it`, {
        errno: 'ESRCH',
        hint: 'run dpcap again',
      });
    }
    return unjoinedFacts(this.#target.ports);
  }

  receptionOf(port: number): Reception | undefined {
    const { telemetry } = this.#target;
    return telemetry === undefined ? undefined : reception(telemetry, port, systemHost());
  }

  /** Whether one of its processes is. */
  isPrimaryAlive(): boolean {
    return this.#target.processes.some(({ pid, startTicks }) => isRunning(pid, startTicks));
  }
}
