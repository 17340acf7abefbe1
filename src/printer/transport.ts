/** TCP, UDP and ICMP as one line of text, in tcpdump's words. */
import { ip4Text, ip6Text } from './addresses.js';

/** What is in an IP packet: the bytes that were captured, and how many there were. */
export interface Payload {
  bytes: Buffer;
  length: number;
  /** Sender and receiver, as text. */
  from: string;
  to: string;
}

/** Prints a frame inside a packet. */
export type FrameText = (frame: Buffer, length: number) => string;

const VXLAN_PORT = 4789;
const FLAGS = ['F', 'S', 'R', 'P', '.', 'U', 'E', 'W'] as const;
const [FIN, SYN, RST, ACK, URG] = [0x01, 0x02, 0x04, 0x10, 0x20];

/** Runs `text`; where the packet is cut off, what `name` is takes its place. */
export function orCut(name: string, text: () => string): string {
  try {
    return text();
  } catch (error) {
    if (error instanceof RangeError) return ` [|${name}]`;
    throw error;
  }
}

function ports({ bytes, from, to }: Payload): string {
  return `${from}.${bytes.readUInt16BE(0)} > ${to}.${bytes.readUInt16BE(2)}: `;
}

/** Sequence numbers are those of the packet: nothing is remembered of a connection. */
export function tcpText(packet: Payload): string {
  if (packet.bytes.length < 4) return `${packet.from} > ${packet.to}:  [|tcp]`;
  return `${ports(packet)}${orCut('tcp', () => segment(packet))}`;
}

function segment({ bytes, length }: Payload): string {
  const header = (bytes.readUInt8(12) >> 4) * 4;
  const flags = bytes.readUInt8(13);
  const urgent = bytes.readUInt16BE(18);
  const data = length - header;
  if (header < 20 || data < 0) return `tcp ${length} [bad hdr length ${header}]`;
  const letters = FLAGS.filter((_, bit) => (flags & (1 << bit)) !== 0).join('') || 'none';
  const sequence = bytes.readUInt32BE(4);
  const end = data > 0 ? `:${(sequence + data) >>> 0}` : '';
  return [
    `Flags [${letters}]`,
    ...(data > 0 || (flags & (FIN | SYN | RST)) !== 0 ? [`seq ${sequence}${end}`] : []),
    ...((flags & ACK) === 0 ? [] : [`ack ${bytes.readUInt32BE(8)}`]),
    `win ${bytes.readUInt16BE(14)}`,
    ...((flags & URG) === 0 ? [] : [`urg ${urgent}`]),
    ...(header > 20 ? [`options [${tcpOptions(bytes, header)}]`] : []),
    `length ${data}`,
  ].join(', ');
}

function tcpOptions(bytes: Buffer, end: number): string {
  const texts: string[] = [];
  for (let at = 20; at < end; ) {
    const kind = bytes.readUInt8(at);
    const size = kind < 2 ? 1 : bytes.readUInt8(at + 1);
    if (size === 0 || (kind >= 2 && size < 2)) return [...texts, `[bad opt]`].join(',');
    texts.push(tcpOption(bytes, at, kind, size));
    if (kind === 0) break;
    at += size;
  }
  return texts.join(',');
}

function tcpOption(bytes: Buffer, at: number, kind: number, size: number): string {
  if (kind === 0) return 'eol';
  if (kind === 1) return 'nop';
  if (kind === 2 && size === 4) return `mss ${bytes.readUInt16BE(at + 2)}`;
  if (kind === 3 && size === 3) return `wscale ${bytes.readUInt8(at + 2)}`;
  if (kind === 4 && size === 2) return 'sackOK';
  if (kind === 8 && size === 10) return `TS val ${bytes.readUInt32BE(at + 2)} ecr ${bytes.readUInt32BE(at + 6)}`;
  if (kind !== 5) return `unknown-${kind}`;
  const blocks = Math.floor((size - 2) / 8);
  const edges = Array.from({ length: blocks }, (_, i) => {
    return `{${bytes.readUInt32BE(at + 2 + 8 * i)}:${bytes.readUInt32BE(at + 6 + 8 * i)}}`;
  });
  return `sack ${blocks} ${edges.join('')}`;
}

/** UDP, and the frame in it where it is VXLAN. */
export function udpText(packet: Payload, frame: FrameText): string {
  const { bytes, length, from, to } = packet;
  if (bytes.length < 4) return `${from} > ${to}:  [|udp]`;
  const inside = orCut('udp', () => {
    const size = bytes.readUInt16BE(4);
    return `UDP, length ${(size >= 8 ? size : length) - 8}`;
  });
  if (bytes.readUInt16BE(2) !== VXLAN_PORT || bytes.length < 16) return `${ports(packet)}${inside}`;
  const flags = bytes.readUInt8(8);
  const flag = (flags & 0x08) === 0 ? '.' : 'I';
  const vni = bytes.readUInt32BE(12) >>> 8;
  const head = `VXLAN, flags [${flag}] (0x${flags.toString(16).padStart(2, '0')}), vni ${vni}`;
  return `${ports(packet)}${head}\n${frame(bytes.subarray(16), length - 16)}`;
}

/** ICMP of IPv4. */
export function icmpText({ bytes, length, from, to }: Payload): string {
  return `${from} > ${to}: ${orCut('icmp', () => `ICMP ${icmpKind(bytes)}, length ${length}`)}`;
}

function icmpKind(bytes: Buffer): string {
  const [type, code] = [bytes.readUInt8(0), bytes.readUInt8(1)];
  if (type === 0 || type === 8) {
    const which = type === 8 ? 'request' : 'reply';
    return `echo ${which}, id ${bytes.readUInt16BE(4)}, seq ${bytes.readUInt16BE(6)}`;
  }
  if (type === 11) return code === 0 ? 'time exceeded in-transit' : 'ip reassembly time exceeded';
  return type === 3 ? unreachable(bytes, code) : `type-#${type}`;
}

function unreachable(bytes: Buffer, code: number): string {
  const original = bytes.subarray(8);
  const to = ip4Text(original, 16);
  if (code === 0) return `net ${to} unreachable`;
  if (code === 1) return `host ${to} unreachable`;
  if (code === 2) return `${to} protocol ${original.readUInt8(9)} unreachable`;
  if (code === 4) return `${to} unreachable - need to frag (mtu ${bytes.readUInt16BE(6)})`;
  if (code !== 3) return `${to} unreachable - #${code}`;
  const protocol = { 6: 'tcp', 17: 'udp' }[original.readUInt8(9)] ?? `protocol ${original.readUInt8(9)}`;
  const port = original.readUInt16BE((original.readUInt8(0) & 15) * 4 + 2);
  return `${to} ${protocol} port ${port} unreachable`;
}

/** ICMP of IPv6. */
export function icmp6Text({ bytes, length, from, to }: Payload): string {
  return `${from} > ${to}: ${orCut('icmp6', () => `ICMP6, ${icmp6Kind(bytes)}, length ${length}`)}`;
}

function icmp6Kind(bytes: Buffer): string {
  const type = bytes.readUInt8(0);
  switch (type) {
    case 128:
    case 129:
      return `echo ${type === 128 ? 'request' : 'reply'}, id ${bytes.readUInt16BE(4)}, seq ${bytes.readUInt16BE(6)}`;
    case 133:
      return 'router solicitation';
    case 134:
      return 'router advertisement';
    case 135:
      return `neighbor solicitation, who has ${ip6Text(bytes, 8)}`;
    case 136:
      return `neighbor advertisement, tgt is ${ip6Text(bytes, 8)}`;
    default:
      return `type-#${type}`;
  }
}
