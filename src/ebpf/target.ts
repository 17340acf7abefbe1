/** Where in an application probes are set, and whether that can be: its process, its table of drivers' functions, its ports. */
import { readdirSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { lineOf, type ReleaseLine } from '../native/releases.js';
import type { Primary } from '../primary/discover.js';
import type { Host } from '../primary/host.js';
import { findSecondaries } from '../primary/secondaries.js';
import { type PortInfo, ports, telemetrySocket } from '../primary/telemetry.js';
import type { EnginePlan } from '../protocol/plan.js';
import { attempt, readProcess } from '../system/process.js';
import { type DeviceTable, findDevices } from './devices.js';
import { gatherProbeFacts, harmOfReturnProbe, probeObstacle } from './obstacle.js';
import { type FastPathTable, findTable, lineByLibraries, type PolledPort, polledPorts } from './table.js';

/** What probes are set by: the application's process, its table, and its ports. */
export type ProbeTarget = Omit<NonNullable<EnginePlan['ebpf']>, 'memory' | 'budget' | 'filter'>;

/** Whether an application can be probed, and where; `reason` says why not. Never throws. */
export function probeTarget(
  primary: Primary,
  host: Host,
): { target: ProbeTarget; infos: PortInfo[]; line: ReleaseLine } | { reason: string } {
  const found = locate(primary, host);
  if ('reason' in found) return found;
  const { pid, table, line } = found;
  const polled = attempt(() => polledPorts(pid, table, host.procDir)) ?? [];
  const socket = telemetrySocket(primary, host);
  const infos = named(polled, (socket === undefined ? undefined : ports(socket, host)) ?? []);
  const others = secondaries(primary, line, host);
  const harmed = others.find((one) => harmOf(one.pid, host) !== undefined);
  if (harmed) return { reason: `of process ${harmed.pid}, which has joined it: ${harmOf(harmed.pid, host)}` };
  const target = {
    processes: [probed({ ...found, devices: findDevices(pid, table.rows, host.procDir) }), ...others],
    layout: table.layout,
    ports: infos.map(({ id, name, rxQueues = 0, txQueues = 0 }) => ({ id, name, rxQueues, txQueues })),
    ...(socket === undefined ? {} : { telemetry: socket }),
  };
  return { target, infos, line };
}

function probed({ pid, startTicks, table, devices }: Located): ProbeTarget['processes'][number] {
  const { address, rows } = table;
  return { pid, startTicks, table: address, rows, ...(devices ? { devices } : {}) };
}

/** Those that may poll queues as well: each calls its drivers through a table of its own. */
function secondaries({ runtimeDir }: Primary, line: ReleaseLine, { procDir }: Host): ProbeTarget['processes'] {
  const joined = attempt(() => findSecondaries(runtimeDir, procDir)) ?? [];
  return joined.flatMap(({ pid, captures }) => {
    const startTicks = captures ? undefined : readProcess(pid, procDir)?.startTicks;
    const table = startTicks === undefined ? undefined : findTable(pid, line, procDir);
    if (startTicks === undefined || table === undefined || 'reason' in table) return [];
    return [probed({ pid, startTicks, table })];
  });
}

/** A process and its table. */
interface Located {
  pid: number;
  startTicks: number;
  table: FastPathTable;
  /** Known of the primary: all have the same devices. */
  devices?: DeviceTable | undefined;
}

/** The process and its table. Reads nothing that the process could be asked for. */
function locate(
  { state, pid, process: info, version }: Primary,
  { procDir }: Host,
): (Located & { line: ReleaseLine }) | { reason: string } {
  if (state !== 'running') return { reason: `it is ${state}` };
  if (pid === undefined || !info) return { reason: 'its process cannot be seen from here' };
  const line = version ? lineOf(version.number) : lineOfProcess(pid, procDir);
  if (!line) return { reason: UNKNOWN_RELEASE };
  const reason = harmOf(pid, { procDir });
  if (reason !== undefined) return { reason };
  const table = findTable(pid, line, procDir);
  return 'reason' in table ? table : { pid, startTicks: info.startTicks ?? 0, table, line };
}

/** Why probes may end a process, or a thread of it: each thread may have a filter of system calls of its own. */
function harmOf(pid: number, { procDir }: Pick<Host, 'procDir'>): string | undefined {
  const tasks = `${procDir}/${pid}/task`;
  const threads = attempt(() => readdirSync(tasks)) ?? [];
  const texts = threads.map((tid) => attempt(() => readFileSync(`${tasks}/${tid}/status`, 'latin1')) ?? '');
  return harmOfReturnProbe({ kernel: release(), arch: process.arch, status: texts.join('\n') });
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
