/** ARP, IPv4 and IPv6 as one line of text, in tcpdump's words. `length` is what there was of a packet, before a cut. */
import { ip4Text, ip6Text, macText } from './addresses.js';
import { type FrameText, icmp6Text, icmpText, orCut, type Payload, tcpText, udpText } from './transport.js';

/** ARP for Ethernet and IPv4. @param prefix what stands before it where no link-level header does */
export function arpText(bytes: Buffer, length: number, prefix: string): string {
  return orCut('arp', () => {
    const operation = bytes.readUInt16BE(6);
    const [senderMac, sender, targetMac, target] = [
      macText(bytes, 8),
      ip4Text(bytes, 14),
      macText(bytes, 18),
      ip4Text(bytes, 24),
    ];
    const isKnown = !/^(00:00:00:00:00:00|ff:ff:ff:ff:ff:ff)$/.test(targetMac);
    const whom = isKnown ? `${target} (${targetMac})` : target;
    if (operation === 1) return `${prefix}Request who-has ${whom} tell ${sender}, length ${length}`;
    if (operation === 2) return `${prefix}Reply ${sender} is-at ${senderMac}, length ${length}`;
    return `${prefix}Unknown (${operation}), length ${length}`;
  });
}

/** IPv4 and what is in it. */
export function ipv4Text(bytes: Buffer, length: number, frame: FrameText): string {
  if (bytes.length < 20) return ' [|ip]';
  const header = (bytes.readUInt8(0) & 15) * 4;
  const total = bytes.readUInt16BE(2);
  if (header < 20) return `bad-hlen ${header}`;
  if (total < header) return `bad-len ${total}`;
  const missing = total > length ? `truncated-ip - ${total - length} bytes missing! ` : '';
  const packet: Payload = {
    bytes: bytes.subarray(header, total),
    length: total - header,
    from: ip4Text(bytes, 12),
    to: ip4Text(bytes, 16),
  };
  const isLaterFragment = (bytes.readUInt16BE(6) & 0x1fff) !== 0;
  const protocol = bytes.readUInt8(9);
  if (isLaterFragment) return `${missing}${packet.from} > ${packet.to}: ip-proto-${protocol}`;
  return `${missing}${inside(packet, protocol, frame)}`;
}

function inside(packet: Payload, protocol: number, frame: FrameText): string {
  const { bytes, length, from, to } = packet;
  switch (protocol) {
    case 1:
      return icmpText(packet);
    case 4:
      return `${from} > ${to}: IP ${ipv4Text(bytes, length, frame)}`;
    case 6:
      return tcpText(packet);
    case 17:
      return udpText(packet, frame);
    case 41:
      return `${from} > ${to}: IP6 ${ipv6Text(bytes, length, frame)}`;
    case 58:
      return icmp6Text(packet);
    default:
      return `${from} > ${to}:  ip-proto-${protocol} ${length}`;
  }
}

const [HOP_BY_HOP, ROUTING, FRAGMENT, NONE, DESTINATION] = [0, 43, 44, 59, 60];

/** IPv6 and what is in it, behind its extension headers. */
export function ipv6Text(bytes: Buffer, length: number, frame: FrameText): string {
  if (bytes.length < 40) return ' [|ip6]';
  const total = 40 + bytes.readUInt16BE(4);
  const missing = total > length ? `truncated-ip6 - ${total - length} bytes missing!` : '';
  const [from, to] = [ip6Text(bytes, 8), ip6Text(bytes, 24)];
  const text = orCut('ip6', () => {
    let next = bytes.readUInt8(6);
    let at = 40;
    while ([HOP_BY_HOP, ROUTING, DESTINATION].includes(next)) {
      next = bytes.readUInt8(at);
      at += 8 * (1 + bytes.readUInt8(at + 1));
    }
    if (next === FRAGMENT) return `${from} > ${to}: frag (${bytes.readUInt16BE(at + 2) & 0xfff8}|${total - at - 8})`;
    if (next === NONE) return `${from} > ${to}: no next header`;
    return inside({ bytes: bytes.subarray(at, total), length: total - at, from, to }, next, frame);
  });
  return `${missing}${text}`;
}
