/** Locks between the engines of one primary. They are files in its runtime directory, which all engines share. */
import { closeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { nativeError } from '../native/errors.js';
import type { HostBinding } from '../native/host-binding.js';

type Addon = Pick<HostBinding, 'tryLock'>;

const RETRY_MS = 5;

/**
 * Waits for a lock.
 * @returns its descriptor, to be kept open as long as the lock is wanted; undefined when the lock was not free in time
 * @throws DpcapError ERR_SYSTEM
 */
export async function waitForLock(addon: Addon, path: string, limitMs: number): Promise<number | undefined> {
  const deadline = performance.now() + limitMs;
  while (true) {
    const fd = tryLock(addon, path);
    if (fd >= 0) return fd;
    if (performance.now() >= deadline) return undefined;
    await sleep(RETRY_MS);
  }
}

function tryLock(addon: Addon, path: string): number {
  try {
    return addon.tryLock(path);
  } catch (thrown) {
    throw nativeError(thrown);
  }
}

/** The engine that joins, takes memory or gives it back holds this lock. */
const MEMORY_LOCK = 'dpcap_memory.lock';
/** The work of one engine takes milliseconds. The limit keeps an engine that is stopped from stopping the others. */
const MEMORY_LIMIT_MS = 5000;
/** The limit after a wait in vain: the others must not be kept waiting each time. */
const MEMORY_LIMIT_AGAIN_MS = 100;
let wasInVain = false;

/**
 * Does `work` while no other engine joins, takes memory or gives it back. Otherwise a primary that is asked for memory
 * while a secondary joins counts the answers wrongly (an ignored one twice: process_async_request of eal_common_proc.c,
 * seen on 22.11.11), takes the next request before the last answer has come, and spins for 5 s without answering
 * anybody.
 */
export async function alone<T>(addon: Addon, runtimeDir: string, work: () => Promise<T>): Promise<T> {
  // A primary that ended in order has removed its directory: then there is no lock to wait for.
  const limitMs = wasInVain ? MEMORY_LIMIT_AGAIN_MS : MEMORY_LIMIT_MS;
  const fd = await waitForLock(addon, join(runtimeDir, MEMORY_LOCK), limitMs).catch(() => undefined);
  wasInVain = fd === undefined;
  try {
    return await work();
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
