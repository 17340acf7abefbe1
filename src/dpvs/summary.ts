/** A DPVS as `dpcap list` shows it. */
import { asDpcapError } from '../errors.js';
import type { Primary } from '../primary/discover.js';
import type { ListedPort, PortKind } from './bodies.js';
import type { DpvsClient } from './client.js';
import { configPath, socketCandidates } from './identify.js';
import { kniName, readKniNames } from './kni-names.js';
import { openDpvs } from './open.js';

export interface DpvsPort {
  id: number;
  name: string;
  kind: PortKind;
  link: 'up' | 'down';
  forward2kni: boolean;
  /** The bond it is a slave of. */
  master: string | undefined;
  /** Its KNI interface, where known. */
  kni: string | undefined;
}

export interface DpvsSummary {
  socket: string;
  version: string;
  dialect: string;
  /** Its configuration's `kni on|off`. */
  kni: boolean | undefined;
  ports: DpvsPort[];
}

/** What a DPVS says, or why it says nothing. */
export type DpvsListing = { summary: DpvsSummary } | { failure: string };

/** Asks a DPVS that was found; never rejects: a list shows what can be shown. */
export async function summarize(primary: Primary): Promise<DpvsListing> {
  try {
    const client = await openDpvs(socketCandidates({ primary }));
    return { summary: await describeDpvs(client, readKniNames(configPath(primary))) };
  } catch (error) {
    return { failure: asDpcapError(error).message };
  }
}

/** Describes a DPVS, with read-only requests. */
export async function describeDpvs(client: DpvsClient, kniNames: ReadonlyMap<string, string>): Promise<DpvsSummary> {
  const { version, dialect } = await client.identity();
  const isKniOn = await client.kni();
  const listed = await client.ports();
  const masters = await mastersOf(client, listed);
  const ports: DpvsPort[] = [];
  for (const { id, name, kind } of listed) {
    const { link, forward2kni } = await client.port(name);
    const master = masters.get(name);
    // Slaves have no KNI device, and with "kni off" no port has one.
    const kni = master || isKniOn === false ? undefined : kniName(name, kniNames);
    ports.push({ id, name, kind, link, forward2kni, master, kni });
  }
  return { socket: client.path, version, dialect: dialect.name, kni: isKniOn, ports };
}

async function mastersOf(client: DpvsClient, ports: readonly ListedPort[]): Promise<Map<string, string>> {
  const masters = new Map<string, string>();
  for (const { name, kind } of ports) {
    if (kind !== 'bond') continue;
    for (const slave of await client.slaves(name)) masters.set(slave, name);
  }
  return masters;
}

/** Text for the user: one line about the DPVS, then a row of cells for each port. */
export function summaryRows(listing: DpvsListing): { head: string; rows: string[][] } {
  if ('failure' in listing) return { head: `DPVS: ${listing.failure}`, rows: [] };
  const { version, dialect, socket, kni, ports } = listing.summary;
  const kniText = kni === undefined ? '' : `, kni ${kni ? 'on' : 'off'}`;
  const rows = ports.map((port) => [
    port.name,
    port.master ? `slave of ${port.master}` : port.kind,
    port.link,
    `forward2kni ${port.forward2kni ? 'on' : 'off'}`,
    port.kni ? `kni ${port.kni}` : '',
  ]);
  return { head: `DPVS ${version} (dialect ${dialect}) at ${socket}${kniText}`, rows };
}

/** The value that `--json` prints. */
export function summaryJson(listing: DpvsListing): unknown {
  if ('failure' in listing) return { error: listing.failure };
  const { summary } = listing;
  return {
    ...summary,
    kni: summary.kni ?? null,
    ports: summary.ports.map((port) => ({ ...port, master: port.master ?? null, kni: port.kni ?? null })),
  };
}
