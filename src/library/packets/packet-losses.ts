/** Packets that reached this process, and for which the program had no room: they are counted as what an output lost. */
import { type StatsRecord, sum } from '../../supervisor/report/stats-record.js';
import type { PacketHead } from './pcapng-blocks.js';

export class PacketLosses {
  readonly #lanes = new Map<string, { head: PacketHead; packets: number }>();
  #bytes = 0;

  add(heads: Iterable<PacketHead>): void {
    for (const head of heads) {
      const key = laneKey(head.interface, head);
      const lane = this.#lanes.get(key);
      if (lane) lane.packets++;
      else this.#lanes.set(key, { head, packets: 1 });
      this.#bytes += head.bytes;
    }
  }

  /**
   * The record, in which these packets are not written but lost.
   * @param ports their ids, in the order of the interfaces
   */
  countedIn(record: StatsRecord, ports: readonly number[]): StatsRecord {
    if (this.#lanes.size === 0) return record;
    const lanes = record.ports.map((lane) => {
      const known = this.#lanes.get(laneKey(ports.indexOf(lane.port), lane));
      // The engine's counters may be older than the packets that came since.
      const lost = Math.min(known?.packets ?? 0, lane.written);
      return { ...lane, written: lane.written - lost, sinkdrop: lane.sinkdrop + lost };
    });
    return { ...record, ports: lanes, packets: sum(lanes, 'written'), bytes: Math.max(0, record.bytes - this.#bytes) };
  }
}

function laneKey(number: number, { queue, direction }: Pick<PacketHead, 'queue' | 'direction'>): string {
  return `${number} ${queue} ${direction}`;
}
