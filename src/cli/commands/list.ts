import { type DpvsListing, summaryJson, summaryRows } from '../../dpvs/summary.js';
import type { Capturability } from '../../primary/capturable.js';
import { isAlive, type Primary } from '../../primary/discover.js';
import { systemHost } from '../../primary/host.js';
import { askDpvs, collectListings, type Listing, withoutEnded } from '../../primary/listing.js';
import { runtimeRoot } from '../../primary/runtime-dir.js';
import type { PortInfo } from '../../primary/telemetry.js';
import { printable } from '../../text/printable.js';
import { alignRows } from '../../text/table.js';
import type { RegisterCommand } from '../command.js';
import { listPorts } from '../letters/answers.js';
import { addLibrariesOption } from '../libraries-option.js';

interface ListOptions {
  filePrefix?: string;
  all?: boolean;
  numbers?: boolean;
  json?: boolean;
}

export const registerList: RegisterCommand = (program) => {
  addLibrariesOption(program.command('list'))
    .description('List the primaries on this machine and their ports.')
    .option('--file-prefix <prefix>', 'List this primary only. Default: all.')
    .option('--all', 'List also primaries that have ended and left their files.')
    .option('--numbers', 'List only the ports, with the numbers for -i, as tcpdump -D does. dpcap -D is short for it.')
    .option('--json', 'Print one JSON document.')
    .action(async (options: ListOptions) => {
      if (options.numbers && !options.json) {
        process.stdout.write(listPorts(options.filePrefix));
        return;
      }
      const root = runtimeRoot();
      const found = collectListings(root, systemHost(), options.filePrefix);
      const wanted = options.all || options.filePrefix !== undefined ? found : withoutEnded(found);
      const listings = await askDpvs(wanted);
      const ended = found.length - listings.length;
      const text = options.json
        ? JSON.stringify(listingJson(root, listings, ended))
        : formatListings(root, listings, ended);
      process.stdout.write(`${text}\n`);
    });
};

/** The table for people. `ended` is the number of further primaries of which only the files are left. */
export function formatListings(root: string, listings: readonly Listing[], ended = 0): string {
  const alive = listings.some(({ primary }) => isAlive(primary));
  const lines = alive ? [] : [`no DPDK primary process is running (looked in ${root})`, ...nothingHints()];
  const rest = ended === 0 ? [] : [`${counted(ended)} in ${root}; dpcap list --all shows them`];
  if (listings.length === 0) return [...lines, ...rest].join('\n');
  const rows = [
    ['FILE PREFIX', 'PID', 'PROGRAM', 'USER', 'DPDK', 'CAPTURABLE'],
    ...listings.map((listing) => primaryRow(listing)),
  ];
  const [header, ...aligned] = alignRows(rows) as [string, ...string[]];
  const blocks = listings.flatMap((listing, i) => [aligned[i] as string, ...details(listing)]);
  return [...lines, header, ...blocks, ...rest].map(printable).join('\n');
}

function counted(ended: number): string {
  return ended === 1 ? 'the files of one that has ended are' : `the files of ${ended} that have ended are`;
}

function nothingHints(): string[] {
  return [
    '  start the DPDK application first; one of another user has its files elsewhere (XDG_RUNTIME_DIR)',
    '  dpcap doctor checks the rest of this machine',
  ];
}

function primaryRow({ primary, capturability, hasAgent, isInjected, probesLack }: Listing): string[] {
  const owner = primary.process;
  return [
    primary.filePrefix,
    primary.pid === undefined ? '-' : String(primary.pid),
    owner?.program ?? '-',
    owner?.user ?? '-',
    primary.version?.text ?? '-',
    hasAgent
      ? `yes, through its agent${isInjected ? ', injected' : ''}`
      : verdictText(primary, capturability, probesLack === ''),
  ];
}

function verdictText(primary: Primary, { verdict, reasons }: Capturability, canProbe: boolean): string {
  if (primary.state === 'dead' || primary.state === 'starting') return `no (${primary.state})`;
  if (reasons.some(({ code }) => code === 'ERR_PRIMARY_STOPPED')) return 'no (stopped)';
  if (verdict === 'no' && canProbe) return 'no, but with --via ebpf';
  return verdict === 'unknown' ? 'unknown until attached' : verdict;
}

/** The lines under a primary: why it cannot be captured and what to do, then its ports. */
function details({ primary, capturability, ports: found, dpvs }: Listing): string[] {
  const reasons = [...capturability.reasons, ...capturability.warnings];
  const why = [
    ...elsewhereLine(primary),
    ...reasons.flatMap(({ message, hint }) => [`  ${message}`, `    ${hint}`]),
    ...(dpvs ? dpvsLines(dpvs) : []),
  ];
  if (!isAlive(primary) || primary.elsewhere?.isHidden) return why;
  if (!found) return [...why, '  ports: not told (no telemetry); attaching shows them'];
  if (found.length === 0) return [...why, '  no ports'];
  return [...why, ...alignRows(found.map(portRow)).map((row) => `  ${row}`)];
}

function elsewhereLine({ elsewhere, runtimeDir }: Primary): string[] {
  if (!elsewhere || runtimeDir === '') return [];
  const why = elsewhere.variable === undefined ? '' : ` (its ${elsewhere.variable})`;
  return [`  files in ${runtimeDir}${why}`];
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

/** Formats Mbit/s as people write them. */
export function formatSpeed(mbps: number): string {
  return mbps >= 1000 ? `${mbps / 1000} Gbit/s` : `${mbps} Mbit/s`;
}

/** The document of `--json`. */
export function listingJson(root: string, listings: readonly Listing[], ended = 0): unknown {
  return {
    runtime_root: root,
    /** The number of ended primaries that are not among those below. */
    ended_not_listed: ended,
    primaries: listings.map(({ primary, capturability, hasAgent, isInjected, probesLack, ports: found, dpvs }) => ({
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
      has_agent: hasAgent === true,
      agent_injected: isInjected === true,
      /** Whether probes can be set on it (--via ebpf), and why not. */
      can_be_probed: probesLack === '',
      probes_lack: probesLack || null,
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
