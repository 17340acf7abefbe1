/** A session with the agent of an application. Nothing is joined, and nothing can be left behind in the application. */
import { hostAddon } from '../../native/addons.js';
import { checked } from '../../native/errors.js';
import type { AttachedFacts } from '../../native/primary-binding.js';
import { CriticalSections } from '../../protocol/critical-sections.js';
import type { EnginePlan } from '../../protocol/plan.js';
import { isRunning } from '../../system/process.js';
import type { CaptureSession } from './capture-session.js';

type Target = Pick<EnginePlan, 'agent' | 'primaryPid' | 'primaryStartTicks'>;

export class AgentSession implements CaptureSession {
  readonly #target: Target;
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
    const { ports } = checked(() => this.addon.agentHello(this.#target.agent?.socket ?? ''));
    const heap = { freeBytes: 0, greatestBytes: 0, totalBytes: 0, pageBytes: 0 };
    return { heap, ports, pools: [], ownOps: [], owners: [], pdumpReady: true, log: '' };
  }

  isPrimaryAlive(): boolean {
    const { primaryPid, primaryStartTicks } = this.#target;
    return primaryPid === undefined || primaryStartTicks === undefined || isRunning(primaryPid, primaryStartTicks);
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
