/** Sets of whole numbers as intervals: VLAN ids, ports, IPv4 networks. */

/** The numbers from the first to the last, both included. */
export type Interval = readonly [first: number, last: number];

/** The same numbers in order; intervals that overlap or touch become one. */
export function mergeIntervals(intervals: readonly Interval[]): Interval[] {
  const merged: [number, number][] = [];
  for (const [first, last] of [...intervals].sort((a, b) => a[0] - b[0])) {
    const before = merged.at(-1);
    if (before && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else merged.push([first, last]);
  }
  return merged;
}

/** `10,20-29` */
export const intervalsText = (intervals: readonly Interval[]): string =>
  intervals.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(',');
