/** Translates DPVS's own port names (dpdk0, bond0), which DPDK does not know, to the names that DPDK has. */
import { UsageError } from '../errors.js';
import type { Primary } from '../primary/discover.js';
import type { PortInfo } from '../primary/telemetry.js';
import type { ListedPort } from './bodies.js';
import { isDpvs, socketCandidates } from './identify.js';
import { openDpvs } from './open.js';

/** A primary and what it tells about its ports. */
export interface NamedPorts {
  primary: Primary;
  ports: readonly PortInfo[] | undefined;
}

/**
 * Returns the port selectors as DPDK has them. DPVS is asked only when one of them is not an id or name of DPDK's.
 * @throws UsageError ERR_PORT_UNSUITABLE for a virtual device; DpcapError ERR_DPVS_* when DPVS cannot be asked
 */
export async function resolvePortNames(
  selectors: readonly string[],
  { primary, ports }: NamedPorts,
): Promise<string[]> {
  const isKnown = (one: string): boolean => one === 'any' || /^\d+$/.test(one) || hasPort(ports, one);
  if (!isDpvs(primary) || selectors.every(isKnown)) return [...selectors];
  const client = await openDpvs(socketCandidates({ primary }));
  const listed = await client.ports();
  return selectors.map((one) => (isKnown(one) ? one : resolveName(one, listed, ports)));
}

function hasPort(ports: readonly PortInfo[] | undefined, name: string): boolean {
  return ports?.some((port) => port.name === name) ?? false;
}

/** DPVS's ids are DPDK's for physical ports and bonds only (dpvs.md 2.5). An unknown name is left as it is. */
function resolveName(name: string, listed: readonly ListedPort[], ports: readonly PortInfo[] | undefined): string {
  const found = listed.find((port) => port.name === name);
  if (!found) return name;
  if (found.kind !== 'virtual') return ports?.find((port) => port.id === found.id)?.name ?? String(found.id);
  const [, parent, vlan] = /^(.+)\.(\d+)$/.exec(name) ?? [];
  throw new UsageError(`${name} is a virtual device of DPVS: it has no port in DPDK`, {
    code: 'ERR_PORT_UNSUITABLE',
    subject: name,
    hint: parent === undefined ? 'capture from the port below it' : `capture its VLAN: -i ${parent} --vlan ${vlan}`,
  });
}
