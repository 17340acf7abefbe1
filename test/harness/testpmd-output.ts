/** Reads what dpdk-testpmd prints. Pure: text in, values out. */

/** Names of what lives in a primary's shared memory; sorted, so that two can be compared with `t.same`. */
export interface Snapshot {
  memzones: string[];
  rings: string[];
  mempools: string[];
}

/** Packets forwarded since `start`. */
export interface Forwarding {
  rxPackets: number;
  txPackets: number;
  /** Received, but not accepted by the transmitting port. */
  txDropped: number;
}

/** Names in the output of `dump_memzone`. */
export function parseMemzones(text: string): string[] {
  return namesIn(text, /^Zone \d+: name:<([^>]*)>/gm);
}

/** Names in the output of `dump_ring`. */
export function parseRings(text: string): string[] {
  return namesIn(text, /^ring <([^>]*)>@/gm);
}

/** Names in the output of `dump_mempool`. */
export function parseMempools(text: string): string[] {
  return namesIn(text, /^mempool <([^>]*)>@/gm);
}

/** Of each mempool, the mbufs that lie in it and in its caches, from `dump_mempool`. */
export function parseAvailable(text: string): Record<string, number> {
  const pools = text.split(/^(?=mempool <)/m).filter((block) => block.startsWith('mempool <'));
  return Object.fromEntries(
    pools.map((block) => [
      block.match(/^mempool <([^>]*)>/)?.[1] ?? '',
      figure(block, /total_cache_count=(\d+)/) + figure(block, /common_pool_count=(\d+)/),
    ]),
  );
}

/** Per port, the sums of `show fwd stats all`; `port` "all" reads the accumulated block. */
export function parseForwarding(text: string, port: number | 'all'): Forwarding {
  const title =
    port === 'all' ? 'Accumulated forward statistics for all ports' : `Forward statistics for port ${port} `;
  const at = text.indexOf(title);
  if (at < 0) throw new Error(`no forward statistics for port ${port} in:\n${text}`);
  const block = text.slice(at);
  return {
    rxPackets: figure(block, /RX-packets:\s*(\d+)/),
    txPackets: figure(block, /TX-packets:\s*(\d+)/),
    txDropped: figure(block, /TX-dropped:\s*(\d+)/),
  };
}

/** Megabytes allocated from all heaps, from `dump_socket_mem`. */
export function parseHeapMb(text: string): number {
  return figure(text, /^Total\s*:.*?\balloc: ([\d.]+)/m);
}

function namesIn(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map((match) => match[1] ?? '').sort();
}

function figure(text: string, pattern: RegExp): number {
  const match = text.match(pattern);
  if (!match) throw new Error(`no ${pattern} in:\n${text}`);
  return Number(match[1]);
}
