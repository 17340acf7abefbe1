/** Collects all primaries of a machine, with everything that `dpcap list` shows of each. */
import { findAgents, withUnseen } from '../agent/find.js';
import { isDpvs } from '../dpvs/identify.js';
import { type DpvsListing, summarize } from '../dpvs/summary.js';
import { whyNoProbes } from '../ebpf/target.js';
import { hostAddon } from '../native/addons.js';
import { attempt } from '../system/process.js';
import { type Capturability, inspect } from './capturable.js';
import { primariesWithPrefix } from './choose.js';
import { findPrimaries, isAlive, isForeign, type Primary } from './discover.js';
import type { Host } from './host.js';
import { type PortInfo, ports } from './telemetry.js';

/** One primary as listed. */
export interface Listing {
  primary: Primary;
  capturability: Capturability;
  /** It has dpcap's agent: then it can be captured from, whatever speaks against joining it. */
  hasAgent?: boolean;
  /** The agent was loaded while it ran. */
  isInjected?: boolean;
  /** Why probes cannot be set on it (`--via ebpf`), or empty when they can; undefined for one that does not run. */
  probesLack?: string;
  /** Undefined when the primary does not tell them (`--no-telemetry`): only an attach can find them out. */
  ports: PortInfo[] | undefined;
  /** What a DPVS says on its control socket; undefined for other primaries. */
  dpvs?: DpvsListing;
}

/**
 * Collects everything to be listed, sorted by file prefix as by findPrimaries(), with ended primaries last.
 * @param filePrefix list primaries with this prefix only
 * @throws DpcapError ERR_PERMISSION, and ERR_PRIMARY_ABSENT when none has the prefix
 */
export function collectListings(root: string, host: Host, filePrefix?: string): Listing[] {
  const agents = findAgents(root, filePrefix, host.procDir, host.addon.agentListener);
  const found = primariesWithPrefix(withUnseen(findPrimaries(root, host), agents), filePrefix);
  const ended = (primary: Primary): boolean => primary.state === 'dead';
  return [...found.filter((one) => !ended(one)), ...found.filter(ended)].map((primary) => {
    const { facts, capturability } = inspect(primary, host);
    const socket = facts.telemetrySocket;
    const known = socket === undefined ? undefined : ports(socket, host);
    const listing = { primary, capturability, ports: known, ...probes(primary, host) };
    const agent = agents.find(({ pid }) => pid === primary.pid);
    if (!agent) return listing;
    const { warnings } = capturability;
    const isInjected = attempt(() => hostAddon().agentHello(agent.socket))?.isInjected === true;
    return { ...listing, capturability: { verdict: 'yes', reasons: [], warnings }, hasAgent: true, isInjected };
  });
}

function probes(primary: Primary, host: Host): Pick<Listing, 'probesLack'> {
  if (!isAlive(primary)) return {};
  return { probesLack: whyNoProbes(primary, host) ?? '' };
}

/**
 * Leaves out the primaries that have ended. Applications that crashed for years leave thousands of them: a count is
 * enough.
 */
export function withoutEnded(listings: readonly Listing[]): Listing[] {
  return listings.filter(({ primary }) => primary.state !== 'dead');
}

/** Adds what each DPVS among them says. */
export async function askDpvs(listings: readonly Listing[]): Promise<Listing[]> {
  const all: Listing[] = [];
  for (const listing of listings) {
    const { primary } = listing;
    const asked = isAlive(primary) && isDpvs(primary) && !isForeign(primary);
    all.push(asked ? { ...listing, dpvs: await summarize(listing.primary) } : listing);
  }
  return all;
}
