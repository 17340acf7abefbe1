/** The beginning of a line: when the packet was seen, in the styles of tcpdump's -t. */

const two = (value: number): string => String(value).padStart(2, '0');

/** Remembers what the differences of -ttt and -ttttt are taken from. */
export class Moments {
  readonly #style: number;
  readonly #digits: 6 | 9;
  #reference: bigint | undefined;

  /** @param style how often -t was given */
  constructor(style: number, nano: boolean) {
    this.#style = style;
    this.#digits = nano ? 9 : 6;
  }

  /** The text, with the space that follows it. @param ns nanoseconds since 1970 */
  text(ns: bigint): string {
    if (this.#style === 1) return '';
    if (this.#style === 2) return `${ns / 1_000_000_000n}${this.#fraction(ns)} `;
    if (this.#style === 3 || this.#style === 5) return `${this.#since(ns)} `;
    const date = new Date(Number(ns / 1_000_000n));
    const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} `;
    const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
    return `${this.#style === 4 ? day : ''}${time}${this.#fraction(ns)} `;
  }

  #since(ns: bigint): string {
    const from = this.#reference ?? ns;
    if (this.#style === 3 || this.#reference === undefined) this.#reference = ns;
    const difference = ns < from ? from - ns : ns - from;
    const seconds = Number(difference / 1_000_000_000n);
    const time = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60].map(two).join(':');
    return `${ns < from ? '-' : ' '}${time}${this.#fraction(difference)}`;
  }

  #fraction(ns: bigint): string {
    return `.${String(ns % 1_000_000_000n)
      .padStart(9, '0')
      .slice(0, this.#digits)}`;
  }
}
