/** Building blocks of Ethernet frames: headers as bytes, checksums left at zero where no filter looks. */

export const concat = (...parts: (Uint8Array | number[])[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((part) => [...part]));
export const u16 = (value: number): number[] => [(value >> 8) & 255, value & 255];
export const u32 = (value: number): number[] => [...u16(value >>> 16), ...u16(value & 0xffff)];
export const ip4 = (text: string): number[] => text.split('.').map(Number);

/** An IPv6 address with at most one `::`. */
export function ip6(text: string): number[] {
  const [head = '', tail] = text.split('::');
  const words = (part: string): number[] => (part ? part.split(':').map((word) => Number.parseInt(word, 16)) : []);
  const [left, right] = [words(head), words(tail ?? '')];
  const gap = tail === undefined ? 0 : 8 - left.length - right.length;
  return [...left, ...new Array(gap).fill(0), ...right].flatMap(u16);
}

export const MAC_A = [0x02, 0, 0, 0, 0, 0x0a];
export const MAC_B = [0x02, 0, 0, 0, 0, 0x0b];
export const BROADCAST = [255, 255, 255, 255, 255, 255];

export interface Tag {
  tpid: number;
  vid: number;
}

/** Addresses, tags, ethertype, payload. */
export function ether(type: number, payload: Uint8Array, tags: Tag[] = [], dst = MAC_B, src = MAC_A): Uint8Array {
  return concat(dst, src, ...tags.map(({ tpid, vid }) => [...u16(tpid), ...u16(vid)]), u16(type), payload);
}

export interface Ip4Options {
  src?: string;
  dst?: string;
  /** Flags and offset field as it stands in the header. */
  fragment?: number;
  /** Header options, a multiple of four bytes. */
  options?: number[];
  ttl?: number;
}

export function ipv4(protocol: number, payload: Uint8Array, opts: Ip4Options = {}): Uint8Array {
  const options = opts.options ?? [];
  const headerWords = 5 + options.length / 4;
  const length = headerWords * 4 + payload.length;
  return concat(
    [0x40 | headerWords, 0, ...u16(length), 0, 1, ...u16(opts.fragment ?? 0), opts.ttl ?? 64, protocol, 0, 0],
    ip4(opts.src ?? '10.0.0.1'),
    ip4(opts.dst ?? '10.0.0.2'),
    options,
    payload,
  );
}

export function ipv6(next: number, payload: Uint8Array, src = '2001:db8::1', dst = '2001:db8::2'): Uint8Array {
  return concat([0x60, 0, 0, 0, ...u16(payload.length), next, 64], ip6(src), ip6(dst), payload);
}

export const tcp = (src: number, dst: number, flags: number, payload: Uint8Array | number[] = []): Uint8Array =>
  concat(u16(src), u16(dst), u32(1), u32(2), [0x50, flags], u16(1024), [0, 0, 0, 0], payload);
export const udp = (src: number, dst: number, payload: Uint8Array | number[] = []): Uint8Array =>
  concat(u16(src), u16(dst), u16(8 + payload.length), [0, 0], payload);
export const icmp = (type: number, code = 0): Uint8Array =>
  concat([type, code, 0, 0, 0, 1, 0, 1], new Array(16).fill(0x61));

/** ARP request (1) or reply (2) for IPv4. */
export const arp = (operation: number, sender = '10.0.0.1', target = '10.0.0.2'): Uint8Array =>
  concat([0, 1, 8, 0, 6, 4], u16(operation), MAC_A, ip4(sender), MAC_B, ip4(target));
export const vxlan = (vni: number, inner: Uint8Array): Uint8Array =>
  udp(40000, 4789, concat([8, 0, 0, 0], u32(vni << 8), inner));
export const geneve = (vni: number, inner: Uint8Array, options: number[] = []): Uint8Array =>
  udp(40000, 6081, concat([options.length / 4, 0], u16(0x6558), u32(vni << 8), options, inner));
export const gre = (type: number, inner: Uint8Array): Uint8Array => concat([0, 0], u16(type), inner);
/** Labels, the last with the bottom-of-stack bit. */
export const mpls = (labels: number[], inner: Uint8Array): Uint8Array =>
  concat(...labels.map((label, i) => u32((label << 12) | (i === labels.length - 1 ? 0x100 : 0) | 64)), inner);

/** Frames of different flows and lengths, `step` bytes apart; one with a tag, and last one that is too long for a tunnel. */
export function forTunnels(count: number, step: number): Uint8Array[] {
  return [
    ...Array.from({ length: count }, (_, i) =>
      ether(0x0800, ipv4(17, udp(1000 + i, 53, new Uint8Array(20 + step * i).fill(i)))),
    ),
    ether(0x86dd, ipv6(17, udp(1, 2, new Uint8Array(77)))),
    ether(0x0800, ipv4(17, udp(1, 2, new Uint8Array(30))), [{ tpid: 0x8100, vid: 0xa00a }]),
    ether(0x0800, ipv4(17, udp(3, 4, new Uint8Array(1472)))),
  ];
}
