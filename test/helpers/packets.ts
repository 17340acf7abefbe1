/** The corpus: frames of every kind the filters speak of, the same for the same seed. */
import {
  arp,
  BROADCAST,
  concat,
  ether,
  geneve,
  gre,
  icmp,
  ipv4,
  ipv6,
  MAC_A,
  MAC_B,
  mpls,
  type Tag,
  tcp,
  u16,
  udp,
  vxlan,
} from './frames.js';
import { Random } from './random.js';

const HOSTS4 = [
  '10.0.0.1',
  '10.0.0.2',
  '10.1.2.3',
  '192.168.1.7',
  '172.16.0.9',
  '8.8.8.8',
  '224.0.0.5',
  '255.255.255.255',
];
const HOSTS6 = ['2001:db8::1', '2001:db8::2', '2001:db8:1::9', 'fe80::1', 'ff02::1', '::1'];
const PORTS = [20, 22, 25, 53, 67, 68, 80, 85, 90, 123, 179, 443, 546, 4789, 5353, 8080, 33333, 65535];
const TCP_FLAGS = [0x02, 0x12, 0x10, 0x18, 0x11, 0x04, 0x14, 0x01, 0x29, 0x00, 0xff];
const ICMP_TYPES = [0, 3, 5, 8, 11, 13];
const ICMP6_TYPES = [1, 2, 128, 129, 133, 134, 135, 136];
const TAGGINGS: Tag[][] = [
  [],
  [{ tpid: 0x8100, vid: 100 }],
  [{ tpid: 0x8100, vid: 0x2064 }],
  [{ tpid: 0x88a8, vid: 7 }],
  [{ tpid: 0x9100, vid: 9 }],
  [
    { tpid: 0x88a8, vid: 7 },
    { tpid: 0x8100, vid: 100 },
  ],
  [
    { tpid: 0x8100, vid: 1 },
    { tpid: 0x8100, vid: 2 },
    { tpid: 0x8100, vid: 3 },
  ],
  [
    { tpid: 0x9100, vid: 1 },
    { tpid: 0x88a8, vid: 2 },
    { tpid: 0x8100, vid: 3 },
    { tpid: 0x8100, vid: 4 },
  ],
  new Array(5).fill({ tpid: 0x8100, vid: 5 }),
  new Array(6).fill({ tpid: 0x8100, vid: 6 }),
];

/** A layer-4 packet with its protocol numbers for IPv4 and IPv6. */
function transport(random: Random): [protocol4: number, protocol6: number, bytes: Uint8Array] {
  const [src, dst] = [random.pick(PORTS), random.pick(PORTS)];
  switch (random.below(8)) {
    case 0:
    case 1:
      return [6, 6, tcp(src, dst, random.pick(TCP_FLAGS), random.bytes(random.below(80)))];
    case 2:
    case 3:
      return [17, 17, udp(src, dst, random.bytes(random.below(80)))];
    case 4:
      return [
        1,
        58,
        random.chance(2) ? icmp(random.pick(ICMP_TYPES), random.below(4)) : icmp(random.pick(ICMP6_TYPES)),
      ];
    case 5:
      return [132, 132, concat(u16(src), u16(dst), random.bytes(20))];
    case 6:
      return [random.pick([2, 50, 51, 89, 103, 112]), random.pick([50, 51, 89, 0, 44, 60]), random.bytes(40)];
    default:
      return [
        6,
        6,
        concat(
          'GET / HTTP/1.1\r\n'.split('').map((c) => c.charCodeAt(0)),
          random.bytes(20),
        ),
      ];
  }
}

function ip(random: Random): [type: number, bytes: Uint8Array] {
  const [protocol4, protocol6, payload] = transport(random);
  if (random.chance(3)) return [0x86dd, ipv6(protocol6, payload, random.pick(HOSTS6), random.pick(HOSTS6))];
  const options = random.chance(4) ? new Array(4 * random.between(1, 10)).fill(1) : [];
  const fragment = random.chance(6) ? random.pick([0x2000, 0x2001, 0x00b9, 0x4000]) : 0;
  const [src, dst] = [random.pick(HOSTS4), random.pick(HOSTS4)];
  return [0x0800, ipv4(protocol4, payload, { src, dst, options, fragment, ttl: random.between(1, 255) })];
}

function tunnelled(random: Random): [type: number, bytes: Uint8Array] {
  const [type, inner] = ip(random);
  const frame = ether(type, inner, random.pick(TAGGINGS.slice(0, 3)));
  switch (random.below(6)) {
    case 0:
      return [0x0800, ipv4(17, vxlan(random.pick([1, 42, 4096]), frame))];
    case 1:
      return [0x0800, ipv4(17, geneve(42, frame, new Array(4 * random.below(4)).fill(0)))];
    case 2:
      return [0x0800, ipv4(47, gre(type, inner))];
    case 3:
      return [0x0800, ipv4(4, inner)];
    case 4:
      return [0x8847, mpls(random.chance(2) ? [100] : [100, 200], inner)];
    default:
      return [0x8864, concat([0x11, 0, 0, 1], u16(inner.length + 2), u16(type === 0x0800 ? 0x21 : 0x57), inner)];
  }
}

function frame(random: Random): Uint8Array {
  const tags = random.chance(2) ? random.pick(TAGGINGS) : [];
  switch (random.below(12)) {
    case 0:
      return ether(0x0806, arp(random.between(1, 2), random.pick(HOSTS4), random.pick(HOSTS4)), tags, BROADCAST);
    case 1:
      return ether(
        random.pick([0x88cc, 0x8809, 0x88f7, 0x8035, 0x1234]),
        random.bytes(46),
        tags,
        [1, 0x80, 0xc2, 0, 0, 0x0e],
      );
    case 2: // 802.3 length and LLC: spanning tree
      return ether(38, concat([0x42, 0x42, 3], random.bytes(43)), tags, [1, 0x80, 0xc2, 0, 0, 0]);
    case 3:
    case 4:
      return ether(...tunnelled(random), tags);
    default:
      return ether(...ip(random), tags, random.chance(8) ? BROADCAST : MAC_B, random.chance(2) ? MAC_A : MAC_B);
  }
}

/** Pads, truncates, or inflates some frames: Ethernet minimum, odd lengths, cut headers, jumbo. */
function reshape(random: Random, bytes: Uint8Array): Uint8Array {
  switch (random.below(10)) {
    case 0:
      return bytes.slice(0, random.below(bytes.length + 1));
    case 1:
      return concat(bytes, new Array(Math.max(0, 60 - bytes.length)).fill(0));
    case 2:
      return random.chance(4) ? concat(bytes, random.bytes(9000 - Math.min(bytes.length, 8999))) : bytes;
    default:
      return bytes;
  }
}

/** `count` frames; then every tagging cut at every length up to 40, because bounds are where mistakes live. */
export function corpus(seed: number, count: number): Uint8Array[] {
  const random = new Random(seed);
  const frames = Array.from({ length: count }, () => reshape(random, frame(random)));
  for (const tags of TAGGINGS) {
    const whole = ether(0x0800, ipv4(6, tcp(33333, 80, 2)), tags);
    for (let length = random.below(3); length <= 40; length += 1 + random.below(3)) frames.push(whole.slice(0, length));
  }
  return frames;
}

/** A random IP packet and its ethertype. */
export const randomIp = ip;

/** One random frame; every eighth is noise. */
export function randomFrame(random: Random): Uint8Array {
  return random.chance(8) ? random.bytes(random.below(120)) : reshape(random, frame(random));
}
