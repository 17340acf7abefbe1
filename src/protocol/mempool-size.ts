/** Decides how many mbufs, and of what size, a capture takes from the primary's huge pages. */

/** Bytes in front of an mbuf's data (RTE_PKTMBUF_HEADROOM of every known build). */
const HEADROOM = 128;
/**
 * Bytes behind the data of a stamped copy: two VLAN tags, padding, pcapng options and length. rte_pcapng_copy drops a
 * packet whose options do not fit behind it (never fixed in 22.11; dpdk-pdump.md 1.9), so there is always this room.
 */
const STAMP_ROOM = 72;
const USUAL_FRAME = 2048;
export const MBUF_OVERHEAD = 128 + 64;
const LARGEST_DATA_ROOM = 65535;

/** Memory that a capture takes, rings included, when `-B` does not say how much. */
export const DEFAULT_BUFFER_BYTES = 160 * 1024 * 1024;
/** Without `-B`, the mempool may grow until it holds 20 ms of packets at 10 million packets a second. */
const SLACK_MBUFS = 2 ** 18 - 1;
/** It may not grow to more than four times the planned number of mbufs. */
const GROWTH = 4;
/** It gets a quarter of what the primary can still use, because the primary may need some itself. */
const SHARE = 4;
/** It may not grow so far that its rings, each with a slot for each mbuf, become larger than this. */
const MOST_RING_BYTES = 64 * 1024 * 1024;
/** The rings may take only a quarter of that share, because they are there from the start. */
const RING_SHARE = 4;
const RING_SLOT = 8;

export interface MempoolSize {
  /** 2^n - 1. */
  mbufs: number;
  /** The number that it may grow to, 2^n - 1. */
  mostMbufs: number;
  /** Bytes of an mbuf, headroom included. */
  dataRoom: number;
}

/** What is decided about the mempool before the primary is joined. */
export interface MempoolPlan {
  /** Bytes of an mbuf, headroom included. */
  dataRoom: number;
  /** Memory that the capture takes, rings included. */
  bytes: number;
  /** Whether it may take less where the primary has little, and more under load: `-B` is a promise. */
  mayGrow: boolean;
}

/** What the size depends on. */
export interface MempoolNeeds extends MempoolPlan {
  lanes: number;
  /** Bytes that the primary and all processes that share its memory can still use. */
  usableBytes: number;
}

/**
 * Decides what can be decided about the mempool beforehand.
 * @param maxFrame the largest frame of the ports, bytes, when the primary tells its MTUs
 */
export function planMempool(
  { snaplen, bufferBytes }: { snaplen: number; bufferBytes?: number | undefined },
  maxFrame: number | undefined,
): MempoolPlan {
  return {
    dataRoom: dataRoomFor(snaplen, maxFrame),
    bytes: bufferBytes ?? DEFAULT_BUFFER_BYTES,
    mayGrow: bufferBytes === undefined,
  };
}

/** Computes the size of a capture's mempool. */
export function mempoolSize({ dataRoom, bytes, mayGrow, lanes, usableBytes }: MempoolNeeds): MempoolSize {
  const share = usableBytes / SHARE;
  const mbufs = mbufsFor(Math.min(bytes, mayGrow ? share : usableBytes), dataRoom, lanes);
  if (!mayGrow) return { mbufs, mostMbufs: mbufs, dataRoom };
  const most = Math.min(
    SLACK_MBUFS,
    GROWTH * (mbufs + 1) - 1,
    mbufsFor(share, dataRoom, lanes),
    largestPool(Math.min(MOST_RING_BYTES, share / RING_SHARE) / ringBytes(lanes)),
  );
  return { mbufs, mostMbufs: Math.max(mbufs, most), dataRoom };
}

/** The number of mbufs that would be taken if the primary could use any amount of memory. */
export function wishedMbufs(needs: Omit<MempoolNeeds, 'usableBytes'>): number {
  return mempoolSize({ ...needs, usableBytes: Number.MAX_SAFE_INTEGER }).mbufs;
}

/** Bytes of all rings together for each mbuf: there is one ring for each lane, and the mempool's own. */
function ringBytes(lanes: number): number {
  return RING_SLOT * (lanes + 1);
}

/** Bytes of one mbuf, which holds a whole frame in one segment where that is possible. */
export function dataRoomFor(snaplen: number, maxFrame: number | undefined): number {
  const frame = Math.max(USUAL_FRAME, maxFrame ?? 0);
  return Math.min(HEADROOM + Math.min(snaplen, frame) + STAMP_ROOM, LARGEST_DATA_ROOM);
}

/** The largest 2^n - 1 mbufs that fit into `bytes` with their rings, from 1023 to 2^20 - 1. */
export function mbufsFor(bytes: number, dataRoom: number, lanes: number): number {
  return largestPool(bytes / (dataRoom + MBUF_OVERHEAD + ringBytes(lanes)));
}

function largestPool(fitting: number): number {
  return 2 ** Math.min(20, Math.max(10, Math.floor(Math.log2(fitting + 1)))) - 1;
}
