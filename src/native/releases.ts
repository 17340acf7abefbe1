/**
 * What is known of DPDK's releases without their libraries; native/primary/release.h is the twin of this table for what
 * is decided with them.
 */

/** Releases whose libraries have the same number in their names (SONAME), so that one addon serves them. */
export interface ReleaseLine {
  /** The number in `librte_eal.so.23`. */
  abi: number;
  /** RTE_VERSION of the first of them. */
  from: number;
  /** For people: "22.11 to 23.07". */
  name: string;
}

const number = (year: number, month: number): number => ((year << 24) | (month << 16)) >>> 0;

/** Each line's ABI was read in ABI_VERSION of its tags; 27 is announced for 26.11. */
export const RELEASE_LINES: readonly ReleaseLine[] = [
  { abi: 23, from: number(22, 11), name: '22.11 to 23.07' },
  { abi: 24, from: number(23, 11), name: '23.11 to 24.07' },
  { abi: 25, from: number(24, 11), name: '24.11 to 25.07' },
  { abi: 26, from: number(25, 11), name: '25.11 to 26.07' },
];
const FIRST_UNKNOWN = number(26, 11);

/** The line of a release, by its RTE_VERSION; undefined for one that is older or newer than all that are known. */
export function lineOf(version: number): ReleaseLine | undefined {
  if (version >= FIRST_UNKNOWN) return undefined;
  return RELEASE_LINES.filter(({ from }) => from <= version).at(-1);
}

/**
 * From this release on the primary passes each pdump request on to its secondaries, and has them make copies (DPDK
 * 25.11, lib/pdump/rte_pdump.c).
 */
export const FORWARDING_RELEASE = number(25, 11);

/** From this release on, pdump takes a filter and a snaplen, and has a memzone (DPDK 21.11, lib/pdump/rte_pdump.c). */
export const FIRST_FILTERING_RELEASE = number(21, 11);
