/** What a collector has of frames that came by ERSPAN III, as tshark reads it. */
import type { Test } from 'tap';
import { tsharkFields } from './pcap.js';

const FIELDS = [
  'gre.sequence_number',
  'erspan.direction',
  'erspan.truncated',
  'erspan.pid3.timestamp',
  'erspan.timestamp',
];

export const bySequence = (packets: string[][]): string[][] => [...packets].sort(([a], [b]) => Number(a) - Number(b));

/** A field of one bit: tshark prints a number up to 4.0, and a word from 4.2 on. */
const isSet = (text: string | undefined): boolean => text === '1' || text === 'True';

/**
 * Each of `frames` frames has come received and sent, numbered without a gap, in the order of time; the last one was cut.
 * @param begin since when the time of day may be, seconds
 * @param slack so far the clocks may be apart, seconds
 */
export function isWholeErspan(t: Test, file: string, frames: number, begin: number, slack = 0): void {
  const packets = bySequence(tsharkFields(file, FIELDS));
  t.same(
    packets.map(([sequence]) => sequence),
    Array.from({ length: 2 * frames }, (_, i) => String(i)),
    'no gap',
  );
  for (const isSent of [false, true]) {
    const some = packets.filter((packet) => isSet(packet[1]) === isSent);
    t.same(
      some.map((packet) => isSet(packet[2])),
      [...new Array(frames - 1).fill(false), true],
      `the long one was cut, of those that were ${isSent ? 'sent' : 'received'}`,
    );
    const times = some.map(([, , , seconds, ns]) => Number(seconds) + Number(ns) / 1e9);
    t.same(
      times,
      [...times].sort((a, b) => a - b),
      'in the order of time',
    );
    t.ok(
      times.every((time) => time >= begin - slack && time <= Date.now() / 1000 + slack),
      `of the time of day: ${times[0]}`,
    );
  }
}
