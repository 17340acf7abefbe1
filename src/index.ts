/**
 * dpcap as a library: it does what the command line does, with values instead of words. It prints nothing and catches
 * no signal. It starts an engine process for each capture, which ends when the calling process ends.
 */
import { systemHost } from './primary/host.js';
import { askDpvs, collectListings, type Listing } from './primary/listing.js';
import { runtimeRoot } from './primary/runtime-dir.js';

export type { ErrorCode, ErrorRecord } from './errors.js';
export { DpcapError, UsageError } from './errors.js';
export { type Capture, type CaptureResult, capture } from './library/capture.js';
export type { CaptureOptions } from './library/options.js';
export type { Packet } from './library/packets/pcapng-blocks.js';
export type { Listing } from './primary/listing.js';
export type { StopReason } from './protocol/messages.js';
export type { StartFacts } from './supervisor/report/reporter.js';
export type { LaneRecord, StatsRecord } from './supervisor/report/stats-record.js';

/**
 * Lists the DPDK primaries of this machine. Those that have ended come last.
 * @throws DpcapError ERR_PERMISSION
 */
export function listPrimaries(): Promise<Listing[]> {
  return askDpvs(collectListings(runtimeRoot(), systemHost()));
}
