/**
 * Deduces the primary's handler numbering from its mempools, as a secondary sees them. This is the second source beside
 * mempool-ops.ts, for primaries whose memory may not be read. Pure functions.
 */

/**
 * The handlers of librte_mempool_ring. One object file registers them, one behind the other: in this order as Debian has
 * built 22.11, in the reverse of it as it has built 24.11.
 */
export const RING_BLOCK = [
  'ring_mp_mc',
  'ring_sp_sc',
  'ring_mp_sc',
  'ring_sp_mc',
  'ring_mt_rts',
  'ring_mt_hts',
] as const;
export type RingHandler = (typeof RING_BLOCK)[number];
const ORDERS: readonly (readonly RingHandler[])[] = [RING_BLOCK, [...RING_BLOCK].reverse()];

/** RTE_MEMPOOL_F_SP_PUT and RTE_MEMPOOL_F_SC_GET. */
const FLAG_SP_PUT = 0x4;
const FLAG_SC_GET = 0x8;

/** Synchronisation of one end of a ring: multi-thread, single-thread, relaxed tail, head/tail. */
export type RingSync = 'mt' | 'st' | 'rts' | 'hts';

/** What an attached secondary sees of one mempool. */
export interface PoolFacts {
  name: string;
  opsIndex: number;
  /** `rte_mempool.flags`. */
  flags: number;
  /** Whether its `pool_data` is a ring of the ring list, with the name that belongs to the pool. */
  isRing: boolean;
  prodSync: RingSync;
  consSync: RingSync;
  /** The process that made it: the primary, dpcap, or another secondary (its index follows that one's numbering). */
  owner: 'primary' | 'ours' | 'foreign';
}

/**
 * Where the ring handlers are in the primary, and in which order; or the reason why it is not known. `certain` is false
 * when all pools show one and the same handler, as ordinary pools do: one that was given a single-thread handler by name
 * looks like an ordinary one, and the order may be either. Check the counters early then.
 */
export type RingBlock =
  | { base: number; order: readonly RingHandler[]; certain: boolean; evidence: Evidence[] }
  | { base: undefined; reason: string };

/** What a pool tells: the handler that made it has this index. */
export interface Evidence {
  pool: string;
  index: number;
  handler: RingHandler;
}

/** Names that other capture tools give their pools and rings (dumpcap before and after 23.11, dpdk-pdump). */
const TOOL_NAMES = /^(capture_mbufs|capture_\d+|dumpcap(-\d+)?|pdump_pool_\d+|[rt]x_ring_\d+)$/;

/** Whether a pool or ring (its name without DPDK's `MP_`, `RG_`, `RG_MP_`) belongs to another capture tool. */
export function isCaptureToolName(name: string): boolean {
  return TOOL_NAMES.test(name);
}

/**
 * Deduces the place of the ring handlers. A pool that was made with flags, or by a handler that shows in its ring,
 * tells its own handler; an ordinary pool (multi-thread at both ends, no flags) is taken for ring_mp_mc. Where both orders
 * explain what is there, it is that of dpcap's own table.
 * @param known names in dpcap's own table, which must hold the same block
 */
export function inferRingBlock(pools: readonly PoolFacts[], known: readonly string[]): RingBlock {
  const own = ORDERS.find((order) => isIn(order, known));
  if (!own) return unknown('the ring handlers are not consecutive in the table of dpcap itself');
  const usable = pools.filter((pool) => pool.owner === 'primary' && pool.isRing && !isCaptureToolName(pool.name));
  if (usable.length === 0) return unknown('no mempool of the primary is built on a ring');
  const evidence = usable.flatMap((pool) => {
    const handler = handlerOf(pool);
    return handler ? [{ pool: pool.name, index: pool.opsIndex, handler }] : [];
  });
  if (evidence.length < usable.length) return unknown(`no numbering explains ${list(usable)}`);
  const fitting = [own, ...ORDERS.filter((order) => order !== own)].flatMap((order) => {
    const bases = new Set(evidence.map(({ index, handler }) => index - order.indexOf(handler)));
    const [base = -1] = bases;
    return bases.size === 1 && base >= 0 ? [{ base, order }] : [];
  });
  const [fit] = fitting;
  if (!fit) return unknown(`no numbering explains ${list(usable)}`);
  const isOfSeveralKinds = new Set(evidence.map(({ handler }) => handler)).size > 1;
  return { ...fit, certain: fitting.length === 1 && isOfSeveralKinds, evidence };
}

function isIn(order: readonly string[], known: readonly string[]): boolean {
  const start = known.indexOf(order[0] as string);
  return start >= 0 && order.every((name, i) => known[start + i] === name);
}

/** The handler that makes a ring with such flags (common_ring_alloc of librte_mempool_ring), if one does. */
function handlerOf(pool: PoolFacts): RingHandler | undefined {
  const { prodSync, consSync } = pool;
  if (prodSync === 'rts' || prodSync === 'hts') return prodSync === consSync ? `ring_mt_${prodSync}` : undefined;
  const single = { put: (pool.flags & FLAG_SP_PUT) !== 0, get: (pool.flags & FLAG_SC_GET) !== 0 };
  if (prodSync !== (single.put ? 'st' : 'mt') || consSync !== (single.get ? 'st' : 'mt')) return undefined;
  return `ring_${single.put ? 'sp' : 'mp'}_${single.get ? 'sc' : 'mc'}`;
}

function list(pools: readonly PoolFacts[]): string {
  return pools.map((pool) => `${pool.name}: ${handlerOf(pool) ?? 'an unknown handler'} at ${pool.opsIndex}`).join(', ');
}

function unknown(reason: string): RingBlock {
  return { base: undefined, reason };
}
