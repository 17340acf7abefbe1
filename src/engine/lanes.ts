/** Watches lanes whose port or queue goes away, or comes back, during a capture: what the user is told, and when the capture ends. */

import { DpcapError } from '../errors.js';
import type { LanePlan, NativeStats } from '../native/capture-binding.js';

type LaneState = NativeStats['lanes'][number]['state'];

const WHAT: Record<Exclude<LaneState, 'live'>, string> = {
  'port gone': 'its port was removed from the primary',
  'queue gone': 'the port has fewer queues now',
  taken: 'another tool has removed our callback and seems to be capturing there',
  'process gone': 'the process that polled it, or its agent, has ended',
  broken: "what the application's memory says of it cannot be",
};

export class LaneWatch {
  readonly #lanes: readonly LanePlan[];
  readonly #ended = new Map<number, LaneState>();

  /** @param lanes the lanes in the order of the statistics */
  constructor(lanes: readonly LanePlan[]) {
    this.#lanes = lanes;
  }

  /** The notices about lanes that have ended, or begun again, since the last look. */
  notices(stats: Pick<NativeStats, 'lanes'>): string[] {
    return stats.lanes.flatMap(({ state }, at) => {
      if ((state === 'live') !== this.#ended.has(at)) return [];
      if (state === 'live') {
        const back = this.#ended.get(at) === 'queue gone' ? 'queue' : 'port';
        this.#ended.delete(at);
        return [`${nameOf(this.#lanes[at])} is captured again: its ${back} is back`];
      }
      this.#ended.set(at, state);
      return [`${nameOf(this.#lanes[at])} is no longer captured: ${WHAT[state]}`];
    });
  }

  /** The error when no lane is left to capture. */
  end({ lanes }: Pick<NativeStats, 'lanes'>): DpcapError | undefined {
    if (lanes.length === 0 || lanes.some(({ state }) => state === 'live')) return undefined;
    const subject = [...new Set(this.#lanes.map(({ device }) => device))].join(', ');
    return new DpcapError('ERR_PORT_GONE', `the capture ended early: nothing is left to capture of ${subject}`, {
      subject,
      hint: 'what was captured until then is complete; dpcap list shows the ports there are now',
    });
  }
}

function nameOf(lane: LanePlan | undefined): string {
  return lane ? `${lane.device} queue ${lane.queue} ${lane.direction}` : 'a queue';
}
