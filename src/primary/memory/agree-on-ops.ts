/** Decides which order dpcap's own table of mempool handlers must have. Pure functions. */
import { DpcapError } from '../../errors.js';
import type { OpsReading } from './mempool-ops.js';
import { type Evidence, RING_BLOCK, type RingBlock } from './ring-block.js';

const HINT =
  'run dpcap as root, so that it may read the table of the primary; a capture with the wrong order could crash it';

/** Hint that says what an unproven deduction rests on, and who may accept it. */
const ORDINARY_HINT =
  'share the PID namespace of the primary, so that dpcap may read its table; or, if the application makes its mempools with ' +
  'rte_pktmbuf_pool_create() or rte_mempool_create() alone, say so with --trust-mempools';

/**
 * Returns the order to which dpcap's table must be permuted, so that an index means the same handler in both processes.
 *
 * With an exact reading, the first entries are the primary's, name by name. It may name handlers that this process does
 * not have (an application's own): their slots must stay unused in dpcap's table. Handlers that only dpcap has follow,
 * as far as there is room. With an inferred block alone, the other handlers keep dpcap's order around it: no pool of
 * dpcap uses them.
 * @param maxOps entries that fit into the table (OpsLayout.maxOps)
 * @param trust accept ordinary pools, one of which may have been made by a single-thread handler that looks the same
 * @throws DpcapError ERR_MEMPOOL_OPS when nothing is known for certain, or the two sources contradict each other
 */
export function agreeOnOps(
  exact: OpsReading,
  inferred: RingBlock,
  ownTable: readonly string[],
  { maxOps = 16, trust = false }: { maxOps?: number; trust?: boolean | undefined } = {},
): string[] {
  if (exact.names) return fromExact(exact.names, inferred, ownTable, maxOps);
  if (inferred.base !== undefined) {
    if (inferred.certain || trust) return fromInferred(inferred, ownTable);
    throw refuse(
      `the primary's numbering of mempool handlers is not known: ${exact.reason}; its mempools do not prove it`,
      ORDINARY_HINT,
    );
  }
  throw refuse(`the primary's numbering of mempool handlers is not known: ${exact.reason}; ${inferred.reason}`);
}

function fromExact(names: string[], inferred: RingBlock, ownTable: readonly string[], maxOps: number): string[] {
  const contradiction = inferred.base === undefined ? undefined : inferred.evidence.find((one) => !agrees(one, names));
  if (contradiction) {
    const { pool, index, handler } = contradiction;
    const here = names.indexOf(handler);
    throw refuse(`the primary's table has ${handler} at ${here}, its mempool ${pool} has it at ${index}`);
  }
  const missing = RING_BLOCK[0];
  if (!ownTable.includes(missing)) throw refuse(`dpcap itself has no handler ${missing} (librte_mempool_ring)`);
  return [...names, ...ownTable.filter((name) => !names.includes(name))].slice(0, Math.max(maxOps, names.length));
}

function agrees({ index, handler }: Evidence, names: readonly string[]): boolean {
  return names[index] === handler;
}

function fromInferred({ base, order }: Extract<RingBlock, { base: number }>, ownTable: readonly string[]): string[] {
  const others = ownTable.filter((name) => !(RING_BLOCK as readonly string[]).includes(name));
  if (base > others.length) {
    throw refuse(`the primary has ${order[0]} at ${base}: it knows more mempool handlers than dpcap`);
  }
  return [...others.slice(0, base), ...order, ...others.slice(base)];
}

function refuse(message: string, hint = HINT): DpcapError {
  return new DpcapError('ERR_MEMPOOL_OPS', message, { hint });
}
