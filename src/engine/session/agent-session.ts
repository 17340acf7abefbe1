/** A session with the agents of an application. Nothing is joined, and nothing can be left behind in the application. */
import { portsOfAll } from '../../agent/ports.js';
import { hostAddon } from '../../native/addons.js';
import { checked } from '../../native/errors.js';
import type { AttachedFacts } from '../../native/primary-binding.js';
import type { EnginePlan } from '../../protocol/plan.js';
import { isRunning } from '../../system/process.js';
import type { CaptureSession } from './capture-session.js';
import { UnjoinedSession, unjoinedFacts } from './unjoined-session.js';

type Target = Pick<EnginePlan, 'agent'>;

export class AgentSession extends UnjoinedSession implements CaptureSession {
  readonly #target: Target;
  readonly way = 'agent';
  readonly addon = hostAddon();

  constructor(target: Target) {
    super();
    this.#target = target;
  }

  /** @throws DpcapError as AgentBinding.agentHello() */
  async attach(): Promise<AttachedFacts> {
    const ports = checked(
      () => portsOfAll(this.#running().map(({ socket }) => this.addon.agentHello(socket))),
      'agent',
    );
    return unjoinedFacts(ports);
  }

  /** Whether one of its processes is. */
  isPrimaryAlive(): boolean {
    return this.#running().length > 0;
  }

  #running(): NonNullable<Target['agent']>['processes'] {
    return this.#target.agent?.processes.filter(({ pid, startTicks }) => isRunning(pid, startTicks)) ?? [];
  }
}
