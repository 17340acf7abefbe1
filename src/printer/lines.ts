/** A packet as tcpdump's letters want it printed: one line, and the bytes below it. */
import type { Display } from '../protocol/display.js';
import { asciiDump, hexDump } from './dump.js';
import { frameText, linkBytes } from './frame.js';
import { Moments } from './moment.js';
import type { Packet } from './pcap-stream.js';

export class Lines {
  readonly #letters: Display['letters'];
  readonly #moments: Moments;
  #number = 0;

  constructor({ letters, nano }: Pick<Display, 'letters' | 'nano'>) {
    this.#letters = letters;
    this.#moments = new Moments(letters.t ?? 0, nano);
  }

  /** The text of a packet, with the line feed behind it. */
  text({ ns, length, bytes }: Packet): string {
    const { e, '#': numbers, x, X, A } = this.#letters;
    const extent = { hasLink: e !== undefined, hasUnknown: (x ?? X ?? A) === undefined };
    this.#number++;
    const number = numbers ? `${String(this.#number).padStart(5)}  ` : '';
    return `${number}${this.#moments.text(ns)}${frameText(bytes, length, extent)}${this.#dump(bytes)}\n`;
  }

  #dump(bytes: Buffer): string {
    const { x = 0, X = 0, A = 0 } = this.#letters;
    const part = (times: number): Buffer => (times > 1 ? bytes : bytes.subarray(linkBytes(bytes)));
    if (X > 0) return hexDump(part(X), true);
    if (x > 0) return hexDump(part(x), false);
    return A > 0 ? asciiDump(part(A)) : '';
  }
}
