/** A small seeded generator (mulberry32): the same seed gives the same test on every machine. */
export class Random {
  constructor(private state: number) {}

  /** Unsigned 32 bits. */
  uint32(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  /** 0 up to, but not, `limit`. */
  below(limit: number): number {
    return this.uint32() % limit;
  }

  /** Both ends included. */
  between(min: number, max: number): number {
    return min + this.below(max - min + 1);
  }

  chance(oneIn: number): boolean {
    return this.below(oneIn) === 0;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)] as T;
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256));
  }
}
