/** What the controllers of mirrors in an application have in common: the application, its agent, and how that is asked. */
import { DpcapError } from '../../errors.js';
import { checked } from '../../native/errors.js';
import { ownIdentity } from '../../system/process-life.js';
import type { MirroringApplication } from './application.js';
import type { AgentPort } from './request.js';
import type { AgentMirrorRecord } from './undo.js';

export abstract class MirroringController {
  readonly application: MirroringApplication;
  /** This process, which owns the mirrors that it sets. */
  protected readonly owner = ownIdentity();
  readonly #hints: Partial<Record<string, string>>;

  /** @param hints what can be done about a refusal, by the errno that came with it */
  protected constructor(application: MirroringApplication, hints: Partial<Record<string, string>>) {
    this.application = application;
    this.#hints = hints;
  }

  get ports(): readonly AgentPort[] {
    return this.application.hello.ports;
  }

  get filePrefix(): string {
    return this.application.agent.filePrefix;
  }

  /** Which application it is about, for people. */
  get name(): string {
    const { hello, agent } = this.application;
    return `${hello.program} (${agent.filePrefix}, pid ${agent.pid})`;
  }

  /** What the journal keeps of a mirror of this application, to undo it. */
  undoRecord(id: number): AgentMirrorRecord {
    const { socket, pid, process } = this.application.agent;
    return { socket, id, pid, startTicks: process.startTicks ?? 0 };
  }

  /** Asks the agent. @throws DpcapError with a hint that fits a mirror */
  protected ask<T>(call: (socket: string) => T): T {
    try {
      return checked(() => call(this.application.agent.socket));
    } catch (error) {
      if (!(error instanceof DpcapError)) throw error;
      const { code, message, errno, subject } = error;
      const hint = this.#hints[errno ?? ''] ?? error.hint;
      throw new DpcapError(code, message, { errno, subject, hint, cause: error });
    }
  }
}
