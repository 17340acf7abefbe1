/** Before and after any run, however it ended, the primary is the same. */
import type { Test } from 'tap';
import type { Snapshot, Testpmd } from './testpmd.js';

/** DPDK itself leaks so much for each removed callback (rte_eth_remove_rx_callback). */
const CALLBACK_MB = 192 / 2 ** 20;
/** Callbacks of a test with a few captures: together they are less than the smallest thing of ours. */
const FEW_CALLBACKS = 160;

/** A primary as it was. */
export interface Before {
  snapshot: Snapshot;
  heapMb: number;
}

/** Remembers the names of its memzones, rings and mempools, and how much of its heap is in use. */
export async function remember(testpmd: Testpmd): Promise<Before> {
  return { snapshot: await testpmd.snapshot(), heapMb: await testpmd.heapMb() };
}

/**
 * Asserts that it is alive and has what it had.
 * @param callbacks that captures may have added and removed since `before`
 */
export async function isUnharmed(
  t: Test,
  testpmd: Testpmd,
  before: Before,
  what: string,
  callbacks: number = FEW_CALLBACKS,
): Promise<void> {
  t.ok(testpmd.alive(), `${what}: the primary lives`);
  t.same(await testpmd.snapshot(), before.snapshot, `${what}: its memzones, rings and mempools are the ones it had`);
  const grownMb = (await testpmd.heapMb()) - before.heapMb;
  t.ok(grownMb <= callbacks * CALLBACK_MB, `${what}: no more of its heap is in use (${grownMb} MB)`);
}

/** Asserts that packets pass through it. */
export async function isForwarding(t: Test, testpmd: Testpmd, what: string): Promise<void> {
  const { txPackets } = await testpmd.forwarding();
  const later = await testpmd.forwarded(txPackets + 1000);
  t.ok(later.txPackets > txPackets, `${what}: it forwards`);
}
