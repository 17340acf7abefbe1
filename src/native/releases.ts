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

/** Each line's ABI was read in ABI_VERSION of its tags; 27 is announced for 26.11. test/native/releases.ts. */
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
 * 25.11, lib/pdump/rte_pdump.c). test/live/forwarding.ts.
 */
export const FORWARDING_RELEASE = number(25, 11);

/**
 * From this release on, pdump takes a filter and a snaplen, and has a memzone (DPDK 21.11, lib/pdump/rte_pdump.c).
 * test/primary/capturable.ts.
 */
export const FIRST_FILTERING_RELEASE = number(21, 11);

/**
 * Where a row of `rte_eth_fp_ops` has what, in bytes: the table by which an application calls its drivers
 * (lib/ethdev/rte_ethdev_core.h). Since 23.11 the queues stand first. test/native/ebpf/code_place.cc, test/ebpf/table.ts.
 */
export interface FastPathLayout {
  rowBytes: number;
  rxFunction: number;
  /** Pointer to an array of pointers to queues, which has an entry for each possible queue. */
  rxQueues: number;
  txFunction: number;
  txQueues: number;
}

const FAST_PATH_22_11 = { rowBytes: 128, rxFunction: 0, rxQueues: 24, txFunction: 64, txQueues: 88 };
const FAST_PATH_23_11 = { rowBytes: 128, rxFunction: 16, rxQueues: 0, txFunction: 80, txQueues: 64 };

/** The layout of a line of releases. It was read in the headers of 22.11, 23.11, 24.11 and 25.11. */
export function fastPathLayout({ abi }: ReleaseLine): FastPathLayout {
  return abi === 23 ? FAST_PATH_22_11 : FAST_PATH_23_11;
}
