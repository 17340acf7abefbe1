/** Bodies of requests and replies. A parser returns undefined for bytes that do not have the form it reads. */
import { UsageError } from '../errors.js';
import type { Dialect } from './dialect.js';
import { readText } from './message.js';

const NAME_SIZE = 32;
const SET_PORT = { size: 52, flags: 50 } as const; // name[32], MAC text[18], u16 flags
const PORT_BASIC_SIZE = 128;
const LIST_HEADER = 10;
const LIST_ENTRY = 18;
const NO_BONDS = 0xffff;
const BOND_STATUS = { size: 2392, slaves: 12, slaveSize: 72, maxSlaves: 33 } as const;
const LCORE_MASK_SIZE = 24;

/** Physical and bond ids are DPDK's own; those of virtual devices (VLAN, tunnels) are not. */
export type PortKind = 'physical' | 'bond' | 'virtual';

/** One entry of the port list. */
export interface ListedPort {
  id: number;
  name: string;
  kind: PortKind;
}

/** State of a port. */
export interface PortBasic {
  id: number;
  name: string;
  mac: string;
  link: 'up' | 'down';
  speedMbps: number;
  mtu: number;
  rxQueues: number;
  txQueues: number;
  forward2kni: boolean;
  /** All flag bits, forward2kni among them. */
  flags: number;
}

/**
 * A port's name as a request body: the whole field, because DPVS searches for its NUL and does not check the length.
 * @throws UsageError for a name that no port can have
 */
export function encodePortName(name: string): Buffer {
  const body = Buffer.alloc(NAME_SIZE);
  writeName(body, name);
  return body;
}

/**
 * The body of a SET; there is no other. The MAC text stays zero: an address there would become the port's address.
 * @throws UsageError for a name that no port can have
 */
export function encodeSetForward(dialect: Dialect, name: string, on: boolean): Buffer {
  const body = Buffer.alloc(SET_PORT.size);
  writeName(body, name);
  body.writeUInt16LE(on ? dialect.setForward2kni.on : dialect.setForward2kni.off, SET_PORT.flags);
  return body;
}

function writeName(body: Buffer, name: string): void {
  if (!/^[\x21-\x7e]+$/.test(name) || name.length >= NAME_SIZE) {
    throw new UsageError(`${JSON.stringify(name)} cannot be a port of DPVS`, {
      code: 'ERR_PORT_UNKNOWN',
      subject: name,
      hint: `a name has 1 to ${NAME_SIZE - 1} characters, such as dpdk0; dpcap list shows them`,
    });
  }
  body.write(name, 'latin1');
}

/** The port list, or undefined. */
export function parsePortList(body: Buffer): ListedPort[] | undefined {
  if (body.length < LIST_HEADER) return undefined;
  const word = (offset: number): number => body.readUInt16LE(offset);
  const count = word(0);
  if (body.length !== LIST_HEADER + LIST_ENTRY * count) return undefined;
  const [physicalBase, physicalEnd, bondBase, bondEnd] = [word(2), word(4), word(6), word(8)];
  const kindOf = (id: number): PortKind => {
    if (id >= physicalBase && id < physicalEnd) return 'physical';
    return bondBase !== NO_BONDS && id >= bondBase && id < bondEnd ? 'bond' : 'virtual';
  };
  const ports: ListedPort[] = [];
  for (let offset = LIST_HEADER; offset < body.length; offset += LIST_ENTRY) {
    const id = word(offset);
    const name = readText(Buffer.concat([body.subarray(offset + 2, offset + LIST_ENTRY), Buffer.alloc(1)]));
    if (!name) return undefined;
    ports.push({ id, name, kind: kindOf(id) });
  }
  return ports;
}

/** State of a port, read with a dialect's offsets; undefined when the bytes do not fit them. */
export function parsePortBasic(body: Buffer, { portBasic: at }: Dialect): PortBasic | undefined {
  if (body.length !== PORT_BASIC_SIZE) return undefined;
  const name = readText(body.subarray(at.name, at.name + NAME_SIZE));
  const mac = readText(body.subarray(at.mac, at.mac + NAME_SIZE));
  const link = readText(body.subarray(at.link, at.link + 16));
  if (!name || mac === undefined || (link !== 'UP' && link !== 'DOWN')) return undefined;
  const flags = body.readUInt16LE(at.flags);
  return {
    id: body.readUInt16LE(at.id),
    name,
    mac: mac.toLowerCase(),
    link: link === 'UP' ? 'up' : 'down',
    speedMbps: body.readUInt32LE(at.speedMbps),
    mtu: body.readUInt16LE(at.mtu),
    rxQueues: body.readUInt8(at.rxQueues),
    txQueues: body.readUInt8(at.txQueues),
    forward2kni: (flags & at.forward2kni) !== 0,
    flags,
  };
}

/** Names of a bond's slaves, or undefined. */
export function parseBondSlaves(body: Buffer): string[] | undefined {
  if (body.length !== BOND_STATUS.size) return undefined;
  const count = body.readInt32LE(4);
  if (count < 0 || count > BOND_STATUS.maxSlaves) return undefined;
  const names = Array.from({ length: count }, (_, i) => {
    const at = BOND_STATUS.slaves + i * BOND_STATUS.slaveSize;
    return readText(body.subarray(at, at + NAME_SIZE));
  });
  return names.every((name) => !!name) ? (names as string[]) : undefined;
}

/** The lcore that serves KNI alone, 0 for none (releases from 1.8.8), or undefined. */
export function parseKniLcore(body: Buffer): number | undefined {
  return body.length === LCORE_MASK_SIZE ? body.readUInt8(1) : undefined;
}
