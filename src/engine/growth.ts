/**
 * Memory that comes while packets flow: a capture begins with little, so that it begins soon, and is given the rest in small
 * pieces; more than planned when it is hard pressed. Before each step all who share the memory are looked at.
 */

import { asDpcapError, type DpcapError } from '../errors.js';
import type { CaptureBinding, NativeStats } from '../native/capture-binding.js';

/** Pieces of 2 MiB between two looks at the others. */
const STEP_PIECES = 8;

/** What of the surroundings growing needs. */
export interface GrowthContext {
  addon: Pick<CaptureBinding, 'growCapture'>;
  /** The reason not to ask the primary for memory now, if there is one. */
  obstacle(): Promise<DpcapError | undefined>;
  /** Announces the time in which the primary is asked. */
  inside<T>(work: () => Promise<T>): Promise<T>;
  /** Tells the user. */
  notice(text: string): void;
  /** Called when the primary did not answer a request for memory. */
  unanswered(): void;
}

/** How many mbufs a capture is to have. */
export interface GrowthGoal {
  planned: number;
  most: number;
}

export class Growth {
  readonly #goal: GrowthGoal;
  readonly #context: GrowthContext;
  #under: Promise<void> | undefined;
  #isOver = false;
  #hasPlanned = false;

  constructor(goal: GrowthGoal, context: GrowthContext) {
    this.#goal = goal;
    this.#context = context;
  }

  /** Begins to ask for what is wanted, unless that is under way. */
  tick({ wantsMbufs }: Pick<NativeStats, 'wantsMbufs'>): void {
    if (this.#isOver || this.#under) return;
    const upTo = !this.#hasPlanned ? this.#goal.planned : wantsMbufs ? this.#goal.most : undefined;
    if (upTo === undefined) return;
    this.#under = this.#grow(upTo).finally(() => {
      this.#under = undefined;
    });
  }

  /** Asks for no more; resolves when nothing is under way. */
  async end(): Promise<void> {
    this.#isOver = true;
    await this.#under;
  }

  async #grow(upTo: number): Promise<void> {
    try {
      let hasRoom = true;
      while (hasRoom && !this.#isOver) {
        const obstacle = await this.#context.obstacle();
        if (obstacle) throw obstacle;
        hasRoom = await this.#context.inside(() => this.#context.addon.growCapture(STEP_PIECES, upTo));
      }
      this.#hasPlanned ||= !hasRoom;
      this.#isOver ||= !hasRoom && upTo === this.#goal.most;
    } catch (thrown) {
      this.#isOver = true;
      const { code, message } = asDpcapError(thrown);
      if (code === 'ERR_PRIMARY_TIMEOUT') this.#context.unanswered();
      if (!this.#hasPlanned) this.#context.notice(`the capture goes on with less memory than planned: ${message}`);
    }
  }
}
