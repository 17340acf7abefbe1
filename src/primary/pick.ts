/** Finds the primary to capture from, by its file prefix or without one. */

import type { ProbeTarget } from '../ebpf/target.js';
import { DpcapError } from '../errors.js';
import type { Dpdk } from '../native/addons.js';
import { inspect, requireCapturable } from './capturable.js';
import { choosePrimary, isDecidedHere } from './choose.js';
import { findPrimaries, type Primary } from './discover.js';
import { systemHost } from './host.js';
import { type Libraries, origin } from './joining/libraries.js';
import { type MemoryLimits, memoryLimits } from './memory/memory-limits.js';
import { runtimeRoot } from './runtime-dir.js';
import { type PortInfo, ports } from './telemetry.js';

/** A primary that can be captured from. */
export interface PickedPrimary {
  primary: Primary;
  dpdk: Dpdk;
  /** "dpdk-testpmd, pid 4711, DPDK 22.11.11", and where the libraries are from, unless they are this system's. */
  name: string;
  /** Undefined when the primary does not tell them (`--no-telemetry`): they are known after the attach. */
  ports: PortInfo[] | undefined;
  /** What its EAL options say about its memory. */
  memory: MemoryLimits;
  /** Largest frame of its ports in bytes; undefined when it does not tell their MTUs. */
  maxFrame: number | undefined;
  /** What people should know about it, sentences for the start line. */
  notes?: string[];
  /** The agents through which packets are got, one for each process; undefined for pdump. */
  agent?: { processes: { socket: string; pid: number; startTicks: number }[] };
  /** Where probes are set; undefined for other ways. */
  ebpf?: ProbeTarget;
}

/** Ethernet header and two VLAN tags. */
const FRAME_OVERHEAD = 14 + 8;

/**
 * The primary to capture from.
 * @throws DpcapError when there is none, several, or one that cannot be captured
 */
export function pickPrimary(filePrefix: string | undefined): PickedPrimary {
  const host = systemHost();
  const here = findPrimaries(runtimeRoot(), { ...host, searchesProcesses: false });
  const primaries = isDecidedHere(here, filePrefix) ? here : findPrimaries(runtimeRoot(), host);
  const primary = choosePrimary(primaries, filePrefix);
  const { facts, libraries, capturability } = inspect(primary, host);
  requireCapturable(primary, capturability);
  const dpdk = dpdkOf(primary, libraries);
  const known = facts.telemetrySocket === undefined ? undefined : ports(facts.telemetrySocket, host);
  const mtus = known?.flatMap((port) => (port.mtu === undefined ? [] : [port.mtu])) ?? [];
  const about = [primary.process?.program ?? 'a primary', primary.pid && `pid ${primary.pid}`, `DPDK ${dpdk.text}`];
  about.push(libraries instanceof DpcapError ? undefined : libraries && origin(libraries));
  return {
    primary,
    dpdk,
    name: about.filter((word) => word !== undefined).join(', '),
    ports: known,
    memory: memoryLimits(facts.ealArguments),
    maxFrame: largestFrame(mtus),
  };
}

/** The largest frame of ports with these MTUs, bytes; undefined when none is known. */
export function largestFrame(mtus: readonly number[]): number | undefined {
  return mtus.length > 0 ? Math.max(...mtus) + FRAME_OVERHEAD : undefined;
}

/**
 * The release of a primary, and where the libraries are to join it with.
 * @throws DpcapError when there are none
 */
export function dpdkOf({ filePrefix, version }: Primary, libraries: Libraries | DpcapError | undefined): Dpdk {
  if (libraries instanceof DpcapError) throw libraries;
  if (version && libraries) return { ...version, libraries: libraries.files };
  throw new DpcapError('ERR_VERSION_MISMATCH', `the primary ${filePrefix} does not tell its release of DPDK`, {
    subject: filePrefix,
    hint: 'is it a DPDK of your own? dpcap knows it by the second word of its `config` file',
  });
}
