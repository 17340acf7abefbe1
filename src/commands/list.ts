/** `dpcap list` (also `dpcap -D`): the primaries of this machine, whether each can be captured, and its ports. */
import type { RegisterCommand } from '../cli.js';
import { isDpvs } from '../dpvs/identify.js';
import { type DpvsListing, summarize, summaryJson, summaryRows } from '../dpvs/summary.js';
import { type Capturability, inspect } from '../primary/capturable.js';
import { findPrimaries, isAlive, type Primary, primariesWithPrefix } from '../primary/discover.js';
import { type Host, systemHost } from '../primary/host.js';
import { runtimeRoot } from '../primary/runtime-dir.js';
import { type PortInfo, ports } from '../primary/telemetry.js';
import { alignRows } from '../text-table.js';

/** One primary as listed. */
export interface Listing {
  primary: Primary;
  capturability: Capturability;
  /** Undefined when the primary does not say (`--no-telemetry`): ask by attaching. */
  ports: PortInfo[] | undefined;
  /** What a DPVS says on its control socket; undefined for other primaries. */
  dpvs?: DpvsListing;
}

export const registerList: RegisterCommand = (program) => {
  program
    .command('list')
    .description('primaries on this machine and their ports (also: dpcap -D)')
    .option('--file-prefix <prefix>', 'this primary only (default: all)')
    .option('--json', 'one JSON document')
    .action(async (options: { filePrefix?: string; json?: boolean }) => {
      const root = runtimeRoot();
      const listings = await askDpvs(collectListings(root, systemHost(), options.filePrefix));
      const text = options.json ? JSON.stringify(listingJson(root, listings)) : formatListings(root, listings);
      process.stdout.write(`${text}\n`);
    });
};

/**
 * Everything to be listed, sorted by file prefix.
 * @param filePrefix this one only
 * @throws DpcapError ERR_PERMISSION, and ERR_PRIMARY_ABSENT when none has the prefix
 */
export function collectListings(root: string, host: Host, filePrefix?: string): Listing[] {
  return primariesWithPrefix(findPrimaries(root, host), filePrefix).map((primary) => {
    const { facts, capturability } = inspect(primary, host);
    const socket = facts.telemetrySocket;
    return { primary, capturability, ports: socket === undefined ? undefined : ports(socket, host) };
  });
}

/** Adds what each DPVS among them says. */
export async function askDpvs(listings: readonly Listing[]): Promise<Listing[]> {
  const all: Listing[] = [];
  for (const listing of listings) {
    const asked = isAlive(listing.primary) && isDpvs(listing.primary);
    all.push(asked ? { ...listing, dpvs: await summarize(listing.primary) } : listing);
  }
  return all;
}

/** The table for people. */
export function formatListings(root: string, listings: readonly Listing[]): string {
  const alive = listings.some(({ primary }) => isAlive(primary));
  const lines = alive ? [] : [`no DPDK primary process is running (looked in ${root})`, ...nothingHints()];
  if (listings.length === 0) return lines.join('\n');
  const rows = [
    ['FILE PREFIX', 'PID', 'PROGRAM', 'USER', 'DPDK', 'CAPTURABLE'],
    ...listings.map((listing) => primaryRow(listing)),
  ];
  const [header, ...aligned] = alignRows(rows) as [string, ...string[]];
  const blocks = listings.flatMap((listing, i) => [aligned[i] as string, ...details(listing)]);
  return [...lines, header, ...blocks].join('\n');
}

function nothingHints(): string[] {
  return [
    '  start the DPDK application first; one of another user has its files elsewhere (XDG_RUNTIME_DIR)',
    '  dpcap doctor checks the rest of this machine',
  ];
}

function primaryRow({ primary, capturability }: Listing): string[] {
  const owner = primary.process;
  return [
    primary.filePrefix,
    primary.pid === undefined ? '-' : String(primary.pid),
    owner?.program ?? '-',
    owner?.user ?? '-',
    primary.version?.text ?? '-',
    verdictText(primary, capturability),
  ];
}

function verdictText(primary: Primary, { verdict, reasons }: Capturability): string {
  if (primary.state === 'dead' || primary.state === 'starting') return `no (${primary.state})`;
  if (reasons.some(({ code }) => code === 'ERR_PRIMARY_STOPPED')) return 'no (stopped)';
  return verdict === 'unknown' ? 'unknown until attached' : verdict;
}

/** Under a primary: why not and what to do, then its ports. */
function details({ primary, capturability, ports: found, dpvs }: Listing): string[] {
  const reasons = [...capturability.reasons, ...capturability.warnings];
  const why = [
    ...reasons.flatMap(({ message, hint }) => [`  ${message}`, `    ${hint}`]),
    ...(dpvs ? dpvsLines(dpvs) : []),
  ];
  if (!isAlive(primary)) return why;
  if (!found) return [...why, '  ports: not told (no telemetry); attaching shows them'];
  if (found.length === 0) return [...why, '  no ports'];
  return [...why, ...alignRows(found.map(portRow)).map((row) => `  ${row}`)];
}

function dpvsLines(dpvs: DpvsListing): string[] {
  const { head, rows } = summaryRows(dpvs);
  return [`  ${head}`, ...alignRows(rows).map((row) => `    ${row}`)];
}

function portRow(port: PortInfo): string[] {
  const rate = port.speedMbps === undefined ? '' : ` ${formatSpeed(port.speedMbps)}`;
  return [
    `port ${port.id}`,
    port.name,
    port.driver ?? '',
    port.mac ?? '',
    port.link === undefined ? 'link ?' : `${port.link}${port.link === 'up' ? rate : ''}`,
    `${port.rxQueues ?? '?'} rx + ${port.txQueues ?? '?'} tx queues`,
    port.mtu === undefined ? '' : `mtu ${port.mtu}`,
    port.promiscuous ? 'promiscuous' : '',
  ];
}

/** Mbit/s as people write it. */
export function formatSpeed(mbps: number): string {
  return mbps >= 1000 ? `${mbps / 1000} Gbit/s` : `${mbps} Mbit/s`;
}

/** The document of `--json`. */
export function listingJson(root: string, listings: readonly Listing[]): unknown {
  return {
    runtime_root: root,
    primaries: listings.map(({ primary, capturability, ports: found, dpvs }) => ({
      file_prefix: primary.filePrefix,
      runtime_dir: primary.runtimeDir,
      state: primary.state,
      pid: primary.pid ?? null,
      program: primary.process?.program ?? null,
      command_line: primary.process?.commandLine ?? [],
      user: primary.process?.user ?? null,
      start_time: primary.process?.startTime?.toISOString() ?? null,
      dpdk_version: primary.version?.text ?? null,
      capturable: capturability.verdict,
      reasons: capturability.reasons,
      warnings: capturability.warnings,
      ports: found?.map(portJson) ?? null,
      ...(dpvs ? { dpvs: summaryJson(dpvs) } : {}),
    })),
  };
}

function portJson(port: PortInfo): unknown {
  return {
    id: port.id,
    name: port.name,
    driver: port.driver ?? null,
    mac: port.mac ?? null,
    mtu: port.mtu ?? null,
    rx_queues: port.rxQueues ?? null,
    tx_queues: port.txQueues ?? null,
    promiscuous: port.promiscuous ?? null,
    started: port.started ?? null,
    link: port.link ?? null,
    speed_mbps: port.speedMbps ?? null,
  };
}
