/** A session with the agents of an application. Nothing is joined, and nothing can be left behind in the application. */
import { portsOfAll } from '../../agent/ports.js';
import { hostAddon } from '../../native/addons.js';
import { checked } from '../../native/errors.js';
import type { AttachedFacts } from '../../native/primary-binding.js';
import { CriticalSections } from '../../protocol/critical-sections.js';
import type { EnginePlan } from '../../protocol/plan.js';
import { isRunning } from '../../system/process.js';
import type { CaptureSession } from './capture-session.js';

type Target = Pick<EnginePlan, 'agent'>;

export class AgentSession implements CaptureSession {
  readonly #target: Target;
  readonly way = 'agent';
  readonly addon = hostAddon();
  /** The agent takes no lock that the application shares with anybody. */
  readonly sections = new CriticalSections(() => {});
  /** Each look at the application tells its end. */
  readonly primaryGone = new Promise<void>(() => {});

  constructor(target: Target) {
    this.#target = target;
  }

  begin(): void {}

  /** @throws DpcapError as AgentBinding.agentHello() */
  async attach(): Promise<AttachedFacts> {
    const ports = checked(
      () => portsOfAll(this.#running().map(({ socket }) => this.addon.agentHello(socket))),
      'agent',
    );
    const heap = { freeBytes: 0, greatestBytes: 0, totalBytes: 0, pageBytes: 0 };
    return { heap, ports, pools: [], ownOps: [], owners: [], pdumpReady: true, log: '' };
  }

  /** Whether one of its processes is. */
  isPrimaryAlive(): boolean {
    return this.#running().length > 0;
  }

  #running(): NonNullable<Target['agent']>['processes'] {
    return this.#target.agent?.processes.filter(({ pid, startTicks }) => isRunning(pid, startTicks)) ?? [];
  }

  async obstacle(): Promise<undefined> {}
  async answered(): Promise<void> {}
  async participants(): Promise<undefined> {}
  /** The agent has said that every thread of the application has left its callbacks. */
  async quiesce(): Promise<undefined> {}
  async detach(): Promise<void> {}

  hasStopped(): boolean {
    return false;
  }
}
