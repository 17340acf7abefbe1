/** The pattern of a flow rule: what of a packet's headers must be how. Pure. */
import type { Prefix } from '../../filter/words/address-set.js';
import type { FlowMatch } from '../../native/flow-binding.js';

/** What is not given does not matter. */
export interface Pattern {
  sourceMac?: readonly number[];
  targetMac?: readonly number[];
  /** Where the packet is not one of IP. */
  etherType?: number;
  /** An id, or that there is no tag. */
  vlan?: number | 'none';
  ipVersion?: 4 | 6;
  sourceIp?: Prefix;
  targetIp?: Prefix;
  protocol?: number;
  sourcePort?: number;
  targetPort?: number;
}

/** The protocols that rte_flow has items with ports for. */
export const WITH_PORTS: Readonly<Record<number, string>> = { 6: 'tcp', 17: 'udp', 132: 'sctp' };

const VLAN_ID_MASK = 0x0fff;

/** The pattern of packets that match both; undefined when there are none. */
export function both(one: Pattern, other: Pattern): Pattern | undefined {
  const merged: Record<string, unknown> = { ...one };
  for (const [key, value] of Object.entries(other)) {
    const before = merged[key];
    const joined =
      before === undefined ? value : isPrefix(before) ? narrower(before, value as Prefix) : same(before, value);
    if (joined === undefined) return undefined;
    merged[key] = joined;
  }
  const { etherType, ipVersion } = merged;
  return etherType !== undefined && ipVersion !== undefined ? undefined : (merged as Pattern);
}

function same(one: unknown, other: unknown): unknown {
  return String(one) === String(other) ? one : undefined;
}

function isPrefix(value: unknown): value is Prefix {
  return typeof value === 'object' && value !== null && 'bits' in value;
}

function narrower(one: Prefix, other: Prefix): Prefix | undefined {
  const [long, short] = one.bits >= other.bits ? [one, other] : [other, one];
  const mask = maskOf(short);
  const isInside = short.bytes.every((byte, at) => byte === ((long.bytes[at] as number) & (mask[at] as number)));
  return isInside && long.bytes.length === short.bytes.length ? long : undefined;
}

/** The mask of a prefix, a byte for each of the address. */
export function maskOf({ bytes, bits }: Prefix): number[] {
  return bytes.map((_, at) => (0xff00 >> Math.max(0, Math.min(8, bits - 8 * at))) & 0xff);
}

/** The pattern as the agent takes it. */
export function matchOf(pattern: Pattern): FlowMatch {
  const { etherType, vlan, ipVersion, protocol, sourcePort, targetPort } = pattern;
  const hasPorts = protocol !== undefined && WITH_PORTS[protocol] !== undefined;
  const isProtocol = protocol !== undefined && !hasPorts;
  return {
    ...macs(pattern),
    etherType: etherType ?? 0,
    etherTypeMask: etherType === undefined ? 0 : 0xffff,
    isTagged: typeof vlan === 'number',
    isUntagged: vlan === 'none',
    vlanTci: typeof vlan === 'number' ? vlan : 0,
    vlanTciMask: typeof vlan === 'number' ? VLAN_ID_MASK : 0,
    ipVersion: ipVersion ?? 0,
    ...addresses(pattern),
    protocol: isProtocol ? protocol : 0,
    protocolMask: isProtocol ? 0xff : 0,
    portsOf: hasPorts ? protocol : 0,
    sourcePort: sourcePort ?? 0,
    sourcePortMask: sourcePort === undefined ? 0 : 0xffff,
    targetPort: targetPort ?? 0,
    targetPortMask: targetPort === undefined ? 0 : 0xffff,
  };
}

function macs({ sourceMac, targetMac }: Pattern): Pick<FlowMatch, `${'source' | 'target'}Mac${'' | 'Mask'}`> {
  const bytes = (mac: readonly number[] | undefined): Uint8Array => Uint8Array.from(mac ?? []);
  const mask = (mac: readonly number[] | undefined): Uint8Array => Uint8Array.from(mac ?? [], () => 0xff);
  return {
    sourceMac: bytes(sourceMac),
    sourceMacMask: mask(sourceMac),
    targetMac: bytes(targetMac),
    targetMacMask: mask(targetMac),
  };
}

function addresses({ sourceIp, targetIp }: Pattern): Pick<FlowMatch, `${'source' | 'target'}Ip${'' | 'Mask'}`> {
  const mask = (prefix: Prefix | undefined): Uint8Array => Uint8Array.from(prefix ? maskOf(prefix) : []);
  return {
    sourceIp: Uint8Array.from(sourceIp?.bytes ?? []),
    sourceIpMask: mask(sourceIp),
    targetIp: Uint8Array.from(targetIp?.bytes ?? []),
    targetIpMask: mask(targetIp),
  };
}
