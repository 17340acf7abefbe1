/** Finds the primary to capture from, by its file prefix or without one. */

import { inspect, requireCapturable } from './capturable.js';
import { choosePrimary, isDecidedHere } from './choose.js';
import { findPrimaries, type Primary } from './discover.js';
import { systemHost } from './host.js';
import { type MemoryLimits, memoryLimits } from './memory/memory-limits.js';
import { runtimeRoot } from './runtime-dir.js';
import { type PortInfo, ports } from './telemetry.js';

/** A primary that can be captured from. */
export interface PickedPrimary {
  primary: Primary;
  /** "dpdk-testpmd, pid 4711, DPDK 22.11.11" */
  name: string;
  /** Undefined when the primary does not tell them (`--no-telemetry`): they are known after the attach. */
  ports: PortInfo[] | undefined;
  /** What its EAL options say about its memory. */
  memory: MemoryLimits;
  /** Largest frame of its ports in bytes; undefined when it does not tell their MTUs. */
  maxFrame: number | undefined;
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
  const { facts, capturability } = inspect(primary, host);
  requireCapturable(primary, capturability);
  const known = facts.telemetrySocket === undefined ? undefined : ports(facts.telemetrySocket, host);
  const mtus = known?.flatMap((port) => (port.mtu === undefined ? [] : [port.mtu])) ?? [];
  const about = [
    primary.process?.program ?? 'a primary',
    primary.pid && `pid ${primary.pid}`,
    `DPDK ${host.addon.dpdkVersion}`,
  ];
  return {
    primary,
    name: about.filter((word) => word !== undefined).join(', '),
    ports: known,
    memory: memoryLimits(facts.ealArguments),
    maxFrame: mtus.length > 0 ? Math.max(...mtus) + FRAME_OVERHEAD : undefined,
  };
}
