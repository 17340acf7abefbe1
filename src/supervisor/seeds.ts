import type { ErrorRecord } from '../errors.js';

/**
 * V8 places its memory at random addresses, which now and then are the ones where the primary's memory must be mapped:
 * EAL failed to start 16 times in 150 with random seeds, never in 120 with a fixed one. Should a primary's own
 * addresses clash with one seed, the next is tried.
 */
export const SEEDS = [1, 2, 3, 4, 5];

/**
 * Whether EAL could not start because the primary lacks a list that a library here registers: the primary is linked with
 * few libraries of DPDK. Without the installed drivers the next attempt has few as well.
 */
export function lacksLists({ error, message }: Pick<ErrorRecord, 'error' | 'message'>): boolean {
  return error === 'ERR_EAL_INIT' && /Cannot init(ialize)? tail ?q/.test(message);
}
