/** An Ethernet frame as text, in tcpdump's words. */
import { macText } from './addresses.js';
import { hexDump } from './dump.js';
import { arpText, ipv4Text, ipv6Text } from './network.js';

const HEADER_BYTES = 14;
const TAG_BYTES = 4;
/** Lower values of the type are lengths (IEEE 802.3). */
const LEAST_TYPE = 0x0600;

const TAGS: Readonly<Record<number, string>> = { 33024: '802.1Q', 34984: '802.1Q-QinQ', 37120: '802.1Q-9100' };

interface Protocol {
  /** Its name among link-level headers. */
  name: string;
  /** What stands before its text without them. */
  prefix: string;
  text(bytes: Buffer, length: number): string;
}

/** What is printed beside the text of a protocol. */
export interface Extent {
  /** The link-level header. */
  hasLink: boolean;
  /** The bytes of a protocol that is not known here. */
  hasUnknown: boolean;
}

/**
 * The frame as one line, or two for what is inside VXLAN.
 * @param length bytes of the frame as it was, before it was cut off
 */
export function frameText(frame: Buffer, length: number, extent: Extent): string {
  if (frame.length < HEADER_BYTES) return ' [|ether]';
  const { type, at, tags } = typeOf(frame);
  const protocol = protocols(extent)[type];
  const rest = frame.subarray(at);
  if (!extent.hasLink && protocol) return `${protocol.prefix}${protocol.text(rest, length - at)}`;
  const addresses = `${macText(frame, 6)} > ${macText(frame, 0)}`;
  if (type < LEAST_TYPE) return `${addresses}, 802.3, length ${type}`;
  const first = tags[0];
  const outer = ethertype(first?.tpid ?? type, extent);
  const inner = tags.map(({ vid, priority, isDroppable }, index) => {
    return `vlan ${vid}, p ${priority}${isDroppable ? ', DEI' : ''}, ${ethertype(tags[index + 1]?.tpid ?? type, extent)}, `;
  });
  const text = protocol ? protocol.text(rest, length - at) : extent.hasUnknown ? hexDump(rest, true) : '';
  return `${addresses}, ${outer}, length ${length}: ${inner.join('')}${text}`;
}

function protocols(extent: Extent): Readonly<Record<number, Protocol>> {
  const frame = (bytes: Buffer, length: number): string => frameText(bytes, length, extent);
  return {
    2048: { name: 'IPv4', prefix: 'IP ', text: (bytes, length) => ipv4Text(bytes, length, frame) },
    2054: { name: 'ARP', prefix: '', text: (bytes, length) => arpText(bytes, length, extent.hasLink ? '' : 'ARP, ') },
    34525: { name: 'IPv6', prefix: 'IP6 ', text: (bytes, length) => ipv6Text(bytes, length, frame) },
  };
}

function ethertype(type: number, extent: Extent): string {
  const name = TAGS[type] ?? protocols(extent)[type]?.name ?? 'Unknown';
  return `ethertype ${name} (0x${type.toString(16).padStart(4, '0')})`;
}

interface Tag {
  tpid: number;
  vid: number;
  priority: number;
  isDroppable: boolean;
}

/** The type behind all tags, where what it is about begins, and the tags. */
function typeOf(frame: Buffer): { type: number; at: number; tags: Tag[] } {
  const tags: Tag[] = [];
  let at = HEADER_BYTES;
  let type = frame.readUInt16BE(at - 2);
  while (TAGS[type] !== undefined && at + TAG_BYTES <= frame.length) {
    const tci = frame.readUInt16BE(at);
    tags.push({ tpid: type, vid: tci & 0xfff, priority: tci >> 13, isDroppable: (tci & 0x1000) !== 0 });
    at += TAG_BYTES;
    type = frame.readUInt16BE(at - 2);
  }
  return { type, at, tags };
}

/** Bytes of the link-level header, which -x and -A leave out. */
export function linkBytes(frame: Buffer): number {
  return frame.length < HEADER_BYTES ? 0 : typeOf(frame).at;
}
