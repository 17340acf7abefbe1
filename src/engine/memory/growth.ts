/**
 * Adds memory to a capture while packets flow. A capture begins with little memory, so that it begins soon, and gets
 * the rest in small pieces; it gets more than planned when mbufs run short. Before each step all processes that share
 * the memory are looked at.
 */

import { asDpcapError, type DpcapError } from '../../errors.js';
import type { NativeStats } from '../../native/capture-binding.js';

/** Pieces of 2 MiB that are asked for between two looks at the other processes. */
const STEP_PIECES = 8;

/** What Growth needs from its surroundings. */
export interface GrowthContext {
  /** Asks for so many more pieces, up to so many mbufs in all; resolves with whether there may be more. */
  grow(pieces: number, upTo: number): Promise<boolean>;
  /** The reason not to ask the primary for memory now, if there is one. */
  obstacle(): Promise<DpcapError | undefined>;
  /** Does `work`, and announces that the primary is asked for memory meanwhile. */
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

  /** Begins to ask for the memory that is wanted, unless a request is under way. */
  tick({ wantsMbufs }: Pick<NativeStats, 'wantsMbufs'>): void {
    if (this.#isOver || this.#under) return;
    const upTo = !this.#hasPlanned ? this.#goal.planned : wantsMbufs ? this.#goal.most : undefined;
    if (upTo === undefined) return;
    this.#under = this.#grow(upTo).finally(() => {
      this.#under = undefined;
    });
  }

  /** Asks for no more memory; resolves when no request is under way. */
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
        hasRoom = await this.#context.inside(() => this.#context.grow(STEP_PIECES, upTo));
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
