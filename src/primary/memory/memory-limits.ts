/** Tells how much memory a primary can use, and what keeps it from having more. Pure: the caller counts huge pages. */
import type { HeapRoom } from '../../native/primary-binding.js';
import type { HugepagePool } from '../../system/huge-pages.js';

/** What the primary's EAL options say about its memory. */
export interface MemoryLimits {
  /** `--legacy-mem`: the primary never has more memory than at its start. */
  isFixed: boolean;
  /** `--socket-limit` of its first NUMA socket that has one, in bytes. */
  socketLimitBytes?: number | undefined;
}

/** Reads the limits from EAL's arguments. */
export function memoryLimits(ealArguments: readonly string[]): MemoryLimits {
  const limit = optionValue(ealArguments, ['--socket-limit', '--numa-limit']);
  const megabytes = limit
    ?.split(',')
    .map(Number)
    .find((value) => value > 0);
  return {
    isFixed: ealArguments.some((word) => word === '--legacy-mem'),
    ...(megabytes === undefined ? {} : { socketLimitBytes: megabytes * 1024 * 1024 }),
  };
}

function optionValue(words: readonly string[], names: readonly string[]): string | undefined {
  for (const [at, word] of words.entries()) {
    const [name = '', value] = word.split('=', 2);
    if (names.includes(name)) return value ?? words[at + 1];
  }
  return undefined;
}

/** The memory that a primary can still use, and why it is not more. */
export interface UsableMemory {
  bytes: number;
  /** Words that complete "the primary can use no more: ...". */
  limit: string;
}

/**
 * Pages of this size and above are requested only if the user wants it: the kernel takes 0.3 s to clear one, while the
 * primary waits.
 */
const HUGE_PAGE_BYTES = 64 * 1024 * 1024;

/**
 * Returns the memory that the primary and all processes that share it can still use.
 * @param wantsLargePages whether it may be asked for a page of 1 GiB
 */
export function usableMemory(
  heap: HeapRoom,
  limits: MemoryLimits,
  hugePages: readonly HugepagePool[],
  wantsLargePages: boolean,
): UsableMemory {
  const within = (bytes: number, limit: string): UsableMemory => ({
    bytes: heap.freeBytes + Math.max(0, bytes),
    limit,
  });
  if (limits.isFixed) return within(0, 'it was started with --legacy-mem');
  if (heap.pageBytes >= HUGE_PAGE_BYTES && !wantsLargePages) {
    return within(0, 'its pages are so large that clearing one would keep it waiting (-B asks for one all the same)');
  }
  const free = hugePages.find(({ sizeKb }) => sizeKb * 1024 === heap.pageBytes)?.free ?? 0;
  const pages = within(free * heap.pageBytes, `there are ${free} free huge pages`);
  if (limits.socketLimitBytes === undefined) return pages;
  const allowed = within(limits.socketLimitBytes - heap.totalBytes, 'it was started with --socket-limit');
  return allowed.bytes < pages.bytes ? allowed : pages;
}
