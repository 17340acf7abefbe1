/** Reads what a primary says about itself on its telemetry socket. Absent telemetry (`--no-telemetry`) is no error. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { type DpdkVersion, versionFromText } from './config-file.js';
import type { Host } from './host.js';

/** Time limit for one exchange; a healthy primary answers within a millisecond. */
const TIMEOUT_MS = 500;
/** Sockets that are asked in one directory; each one that does not answer takes the whole time limit. */
const MOST_SOCKETS = 16;
/** RTE_ETH_SPEED_NUM_UNKNOWN, as an unsigned number. */
const SPEED_UNKNOWN = 0xffffffff;

/** The answer to `/info`. `pid` is the one in the primary's own PID namespace. */
export interface TelemetryInfo {
  pid: number;
  version: DpdkVersion | undefined;
}

/** One port of the primary. A fact that the primary does not tell (this differs by release) is undefined. */
export interface PortInfo {
  id: number;
  name: string;
  driver: string | undefined;
  /** Lower case, with colons. */
  mac: string | undefined;
  /** Bytes. */
  mtu: number | undefined;
  rxQueues: number | undefined;
  txQueues: number | undefined;
  promiscuous: boolean | undefined;
  started: boolean | undefined;
  link: 'up' | 'down' | undefined;
  /** Mbit/s. */
  speedMbps: number | undefined;
}

/** A value that does not fit its schema counts as not told. */
const told = <T extends z.ZodMiniType>(schema: T) => z.catch(z.optional(schema), undefined);
const count = told(z.int().check(z.nonnegative()));
const text = told(z.string().check(z.minLength(1)));
const flag = told(
  z.union([
    z.boolean(),
    z.pipe(
      z.number(),
      z.transform((value) => value !== 0),
    ),
    z.pipe(
      z.enum(['on', 'off']),
      z.transform((value) => value === 'on'),
    ),
  ]),
);

const infoSchema = z.object({ version: z.string(), pid: z.int().check(z.positive()) });
const indexList = z.array(z.int().check(z.nonnegative()));
const portSchema = z.object({
  name: z.string().check(z.minLength(1)),
  mac_addr: text,
  mtu: count,
  nb_rx_queues: count,
  nb_tx_queues: count,
  promiscuous: flag,
  dev_started: flag,
  driver_name: text,
});
const linkSchema = z.object({ status: z.string(), speed: count });
const statsSchema = z.object({ ipackets: z.int(), imissed: z.int() });
const memzoneSchema = z.object({ Name: z.string().check(z.minLength(1)) });

/** The value in an answer such as `{"/info":{...}}`; undefined for null, for other JSON and for no JSON. */
export function unwrap(answer: string): unknown {
  try {
    const parsed: unknown = JSON.parse(answer);
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return undefined;
    return Object.values(parsed)[0] ?? undefined;
  } catch {
    return undefined;
  }
}

/** Reads an answer with a schema; the result is undefined when the answer does not fit. */
function read<T>(schema: z.ZodMiniType<T>, answer: string | undefined): T | undefined {
  return answer === undefined ? undefined : schema.safeParse(unwrap(answer)).data;
}

/** Finds the sockets of a directory that answer. `--in-memory` primaries share one: `.v2`, `.v2:1`, ... */
export function answeringSockets(runtimeDir: string, host: Host): { path: string; info: TelemetryInfo }[] {
  const names = listNames(runtimeDir)
    .filter((name) => /^dpdk_telemetry\.v2(:\d+)?$/.test(name))
    .slice(0, MOST_SOCKETS);
  return names.flatMap((name) => {
    const path = join(runtimeDir, name);
    const info = parseInfo(ask(path, ['/info'], host)?.[0]);
    return info ? [{ path, info }] : [];
  });
}

function parseInfo(answer: string | undefined): TelemetryInfo | undefined {
  const info = read(infoSchema, answer);
  return info && { pid: info.pid, version: versionFromText(info.version) };
}

/** The socket of one primary, or undefined. The pid is checked: a directory may hold sockets of several primaries. */
export function telemetrySocket(
  primary: { runtimeDir: string; process: { namespacePids: number[] } | undefined },
  host: Host,
): string | undefined {
  const pids = primary.process?.namespacePids;
  return answeringSockets(primary.runtimeDir, host).find(({ info }) => !pids || pids.includes(info.pid))?.path;
}

/** The ports behind a telemetry socket, by id; undefined when it does not answer. */
export function ports(socketPath: string, host: Host): PortInfo[] | undefined {
  const ids = read(indexList, ask(socketPath, ['/ethdev/list'], host)?.[0]);
  if (!ids) return undefined;
  if (ids.length === 0) return [];
  const infos = askEach('/ethdev/info', ids, socketPath, host);
  // The links are asked for separately: some drivers take seconds for them, and the names are needed anyway.
  const links = infos && askEach('/ethdev/link_status', ids, socketPath, host);
  return infos && ids.flatMap((id, i) => parsePort(id, infos[i], links?.[i]) ?? []);
}

/** One port from its two answers; undefined when the first is not a port (it was removed meanwhile). */
export function parsePort(id: number, info: string | undefined, link: string | undefined): PortInfo | undefined {
  const port = read(portSchema, info);
  if (!port) return undefined;
  const state = read(linkSchema, link);
  return {
    id,
    name: port.name,
    driver: port.driver_name,
    mac: port.mac_addr?.toLowerCase(),
    mtu: port.mtu,
    rxQueues: port.nb_rx_queues,
    txQueues: port.nb_tx_queues,
    promiscuous: port.promiscuous,
    started: port.dev_started,
    link: state && (/^up$/i.test(state.status) ? 'up' : 'down'),
    speedMbps: state?.speed === SPEED_UNKNOWN ? undefined : state?.speed || undefined,
  };
}

/** What a port has received since it was started, and what it had no room for: nobody polled in time. */
export interface Reception {
  received: number;
  missed: number;
}

/** The counters of a port, or undefined when it does not tell them. */
export function reception(socketPath: string, id: number, host: Host): Reception | undefined {
  const stats = read(statsSchema, ask(socketPath, [`/ethdev/stats,${id}`], host)?.[0]);
  return stats && { received: stats.ipackets, missed: stats.imissed };
}

/** The arguments the application gave to rte_eal_init(), or undefined. */
export function ealParams(socketPath: string, host: Host): string[] | undefined {
  return read(z.array(z.string()), ask(socketPath, ['/eal/params'], host)?.[0]);
}

/** The names of the primary's memzones, or undefined (before 22.11 there is no such command). */
export function memzonesByTelemetry(socketPath: string, host: Host): string[] | undefined {
  const ids = read(indexList, ask(socketPath, ['/eal/memzone_list'], host)?.[0]);
  const answers = ids && askEach('/eal/memzone_info', ids, socketPath, host);
  return answers?.flatMap((answer) => read(memzoneSchema, answer)?.Name ?? []);
}

function askEach(command: string, ids: number[], path: string, host: Host): string[] | undefined {
  return ask(
    path,
    ids.map((id) => `${command},${id}`),
    host,
  );
}

/** Undefined when the socket is absent, nobody listens, or the primary does not answer in time (it may be stopped). */
function ask(path: string, commands: readonly string[], host: Host): string[] | undefined {
  try {
    return host.addon.telemetryAll(path, commands, TIMEOUT_MS);
  } catch {
    return undefined;
  }
}

function listNames(dir: string): string[] {
  try {
    return readdirSync(dir).sort();
  } catch {
    return [];
  }
}
