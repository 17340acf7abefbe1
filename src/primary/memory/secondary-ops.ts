/**
 * From DPDK 25.11 on the primary has its secondaries make copies, too (pdump_request_to_secondary of lib/pdump/rte_pdump.c).
 * They take mbufs from dpcap's mempool by the index of its handler, and each process numbers its handlers itself.
 */
import { DpcapError } from '../../errors.js';
import { nameOfSecondary } from '../secondaries.js';
import type { OpsReading } from './mempool-ops.js';

/** That of dpcap's mempools (native/pdump/memory/mempool.cc). */
const HANDLER = 'ring_mp_mc';

/** A secondary that takes part in the primary's pdump. */
export interface Copier {
  pid: number;
  program: string | undefined;
  ops: OpsReading;
}

/**
 * Pure.
 * @param order the primary's handlers by index, as agreeOnOps() has it
 * @param trust whether the user says that they copy nothing, for they poll no queue
 * @throws DpcapError ERR_MEMPOOL_OPS for a secondary that would take mbufs by another handler, or may do so
 */
export function refuseOtherOrder(order: readonly string[], copiers: readonly Copier[], trust: boolean): void {
  if (trust) return;
  const index = order.indexOf(HANDLER);
  for (const copier of copiers) {
    const { pid, ops } = copier;
    if (ops.names?.[index] === HANDLER) continue;
    const who = `${nameOfSecondary(copier)}, which would copy packets for dpcap,`;
    const found = ops.names
      ? `has ${ops.names[index] ?? 'none'} in the place of mempool handler ${HANDLER} (${index})`
      : `numbers its mempool handlers in a way that is not known: ${ops.reason}`;
    throw new DpcapError('ERR_MEMPOOL_OPS', `${who} ${found}`, {
      subject: String(pid),
      hint: 'end it, or start it with the primary’s libraries and -d options, for a capture could crash it; if it polls no queue, say so with --trust-mempools',
    });
  }
}
