/** The ports of all primaries as `tcpdump -D` writes interfaces: one line each, with the number that `-i` takes. */
import { isAlive } from '../../primary/discover.js';
import type { Listing } from '../../primary/listing.js';
import type { PortInfo } from '../../primary/telemetry.js';
import { printable } from '../../text/printable.js';

/** What is to be printed, and what is to be said beside it. */
export interface PortList {
  lines: string[];
  notes: string[];
}

/** Lists the ports of primaries that run. Numbers are port ids: with several primaries, they need --file-prefix. */
export function portList(listings: readonly Listing[]): PortList {
  const running = listings.filter(({ primary }) => isAlive(primary));
  const untold = running.filter(({ ports }) => ports === undefined);
  return {
    lines: running.flatMap(({ primary, ports = [] }) => {
      const who = [
        primary.process?.program,
        primary.pid && `pid ${primary.pid}`,
        `--file-prefix ${primary.filePrefix}`,
      ];
      const about = who.filter((word) => word !== undefined).join(', ');
      return ports.map((port) => printable(`${port.id}.${port.name} (${about}) [${stateOf(port)}]`));
    }),
    notes: [
      ...(running.length === 0 ? ['no DPDK primary process is running; dpcap doctor says why nothing is found'] : []),
      ...untold.map(({ primary }) => printable(`${primary.filePrefix} does not tell its ports: try -i 0, or -i any`)),
    ],
  };
}

function stateOf({ link, started, promiscuous }: PortInfo): string {
  const words = [
    started === false ? 'Stopped' : 'Up',
    ...(link === 'up' ? ['Running'] : []),
    ...(link === 'down' ? ['Link down'] : []),
    ...(promiscuous ? ['Promiscuous'] : []),
  ];
  return words.join(', ');
}
