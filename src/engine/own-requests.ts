/** The requests of one capture for the primary's memory: other captures of this process are in sections of their own. */
import type { CriticalSections, SectionName } from '../protocol/critical-sections.js';

export class OwnRequests {
  readonly #sections: CriticalSections;
  #count = 0;

  constructor(sections: CriticalSections) {
    this.#sections = sections;
  }

  /** Whether one has not ended, also when the wait for its end was given up. */
  get areUnderWay(): boolean {
    return this.#count > 0;
  }

  /** Does `work` inside a section, see {@link CriticalSections.inside}. */
  async inside<T>(name: SectionName, work: () => Promise<T>, patienceMs = 0): Promise<T> {
    const counted = (): Promise<T> => {
      this.#count++;
      return work().finally(() => this.#count--);
    };
    return await this.#sections.inside(name, counted, patienceMs);
  }
}
