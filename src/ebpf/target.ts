/** Where in an application probes are set, and whether that can be: its process, its table of drivers' functions, its ports. */
import { readFileSync } from 'node:fs';
import { lineOf, type ReleaseLine } from '../native/releases.js';
import type { Primary } from '../primary/discover.js';
import type { Host } from '../primary/host.js';
import { type PortInfo, ports, telemetrySocket } from '../primary/telemetry.js';
import type { EnginePlan } from '../protocol/plan.js';
import { attempt } from '../system/process.js';
import { gatherProbeFacts, probeObstacle } from './obstacle.js';
import { type FastPathTable, findTable, lineByLibraries, type PolledPort, polledPorts } from './table.js';

/** What probes are set by: the application's process, its table, and its ports. */
export type ProbeTarget = Omit<NonNullable<EnginePlan['ebpf']>, 'memory' | 'budget'>;

/** Whether an application can be probed, and where; `reason` says why not. Never throws. */
export function probeTarget(
  primary: Primary,
  host: Host,
): { target: ProbeTarget; infos: PortInfo[]; line: ReleaseLine } | { reason: string } {
  const found = locate(primary, host);
  if ('reason' in found) return found;
  const { pid, startTicks, table, line } = found;
  const polled = attempt(() => polledPorts(pid, table, host.procDir)) ?? [];
  const socket = telemetrySocket(primary, host);
  const infos = named(polled, (socket === undefined ? undefined : ports(socket, host)) ?? []);
  const target = {
    processes: [{ pid, startTicks, table: table.address, rows: table.rows }],
    layout: table.layout,
    ports: infos.map(({ id, name, rxQueues = 0, txQueues = 0 }) => ({ id, name, rxQueues, txQueues })),
  };
  return { target, infos, line };
}

/** The process and its table. Reads nothing that the process could be asked for. */
function locate(
  { state, pid, process: info, version }: Primary,
  { procDir }: Host,
): { pid: number; startTicks: number; table: FastPathTable; line: ReleaseLine } | { reason: string } {
  if (state !== 'running') return { reason: `it is ${state}` };
  if (pid === undefined || !info) return { reason: 'its process cannot be seen from here' };
  const line = version ? lineOf(version.number) : lineOfProcess(pid, procDir);
  if (!line) return { reason: UNKNOWN_RELEASE };
  const table = findTable(pid, line, procDir);
  return 'reason' in table ? table : { pid, startTicks: info.startTicks ?? 0, table, line };
}

const UNKNOWN_RELEASE =
  'its release of DPDK is not known: it is older than 22.11, or linked statically and without telemetry';

function lineOfProcess(pid: number, procDir: string): ReleaseLine | undefined {
  const maps = attempt(() => readFileSync(`${procDir}/${pid}/maps`, 'latin1'));
  return maps === undefined ? undefined : lineByLibraries(maps);
}

/** The ports that telemetry or the table knows: telemetry has the names, and those that are stopped. Pure. */
export function named(polled: readonly PolledPort[], told: readonly PortInfo[]): PortInfo[] {
  const unknown = { driver: undefined, mac: undefined, mtu: undefined, promiscuous: undefined };
  const unnamed = polled
    .filter(({ id }) => !told.some((port) => port.id === id))
    .map((port) => ({
      ...unknown,
      ...port,
      name: `port${port.id}`,
      started: true,
      link: undefined,
      speedMbps: undefined,
    }));
  const known = told.map((port) => {
    const now = polled.find(({ id }) => id === port.id);
    return { ...port, rxQueues: port.rxQueues ?? now?.rxQueues, txQueues: port.txQueues ?? now?.txQueues };
  });
  return [...known, ...unnamed].sort((a, b) => a.id - b.id);
}

/** Why probes cannot be set on an application, here or at all; undefined when they can. */
export function whyNoProbes(primary: Primary, host: Host): string | undefined {
  const obstacle = probeObstacle(gatherProbeFacts());
  if (obstacle) return obstacle.message;
  const found = locate(primary, host);
  return 'reason' in found ? found.reason : undefined;
}
