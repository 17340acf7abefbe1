/**
 * V8 places its memory at random addresses, which now and then are the ones where the primary's memory must be mapped:
 * EAL failed to start 16 times in 150 with random seeds, never in 120 with a fixed one. Should a primary's own
 * addresses clash with one seed, the next is tried.
 */
export const SEEDS = [1, 2, 3, 4, 5];
