/** Random packets in random tunnels, also in several, also broken. */
import { concat, ether, geneve, ipv4, ipv6, mpls, type Tag, u16, u32, udp, vxlan } from './frames.js';
import { randomFrame, randomIp } from './packets.js';
import type { Random } from './random.js';

type Typed = [type: number, bytes: Uint8Array];
const TAGS: Tag[][] = [
  [],
  [],
  [{ tpid: 0x8100, vid: 5 }],
  [
    { tpid: 0x88a8, vid: 6 },
    { tpid: 0x8100, vid: 7 },
  ],
];

/** IP around a payload. */
function inIp(random: Random, protocol: number, payload: Uint8Array): Typed {
  if (random.chance(4)) return [0x86dd, ipv6(protocol, payload)];
  const options = random.chance(5) ? new Array(4 * random.between(1, 5)).fill(1) : [];
  return [0x0800, ipv4(protocol, payload, { options, fragment: random.chance(12) ? random.pick([0x2000, 7]) : 0 })];
}

function gre(random: Random, type: number, payload: Uint8Array): Uint8Array {
  const flags = random.chance(2) ? 0 : random.pick([0x8000, 0x2000, 0x1000, 0xb000, 0x3000, 0x4000, 0x0001]);
  const optional = [0x8000, 0x2000, 0x1000].filter((flag) => flags & flag).flatMap(() => u32(random.uint32()));
  return concat(u16(flags), u16(type), optional, payload);
}

function erspan(random: Random, frame: Uint8Array): Uint8Array {
  switch (random.below(3)) {
    case 0:
      return concat([0, 0, 0x88, 0xbe], frame);
    case 1:
      return concat([0x10, 0, 0x88, 0xbe], u32(9), [0x10, 5, 0, 1, 0, 0, 0, 0], frame);
    default: {
      const more = random.chance(2);
      const head = concat([0x20, 5, 0, 1], u32(1), [0, 0, 0, more ? 1 : 0], more ? new Array(8).fill(3) : []);
      return concat([0x10, 0, 0x22, 0xeb], u32(9), head, frame);
    }
  }
}

function gtp(random: Random, packet: Uint8Array): Uint8Array {
  const extensions = random.chance(2) ? 0 : random.between(1, 6);
  const flags = extensions > 0 ? 0x34 : random.pick([0x30, 0x32, 0x31, 0x30, 0x20, 0x38]);
  const words = Array.from({ length: extensions }, (_, at) => [1, 0, 0, at === extensions - 1 ? 0 : 0x85]);
  const optional = flags & 7 ? [0, 1, 0, extensions > 0 ? 0x85 : random.below(256)] : [];
  const kind = random.chance(8) ? 1 : 255;
  return udp(2152, 2152, concat([flags, kind], u16(packet.length), u32(1), optional, words.flat(), packet));
}

/** One tunnel around a frame or an IP packet. */
function tunnel(random: Random, frame: Uint8Array, [type, packet]: Typed): Typed {
  const labels = Array.from({ length: random.between(1, random.chance(6) ? 9 : 3) }, () => random.below(1 << 20));
  const version = type === 0x0800 ? 4 : 41;
  switch (random.below(12)) {
    case 0:
      return inIp(random, 17, random.chance(8) ? udp(1, 4789, new Array(60).fill(0)) : vxlan(42, frame));
    case 1:
      return inIp(random, 17, geneve(42, frame, new Array(4 * random.below(6)).fill(0)));
    case 2:
      return inIp(random, 17, udp(1, 6081, concat([0, 0], u16(type), u32(0), packet)));
    case 3:
      return inIp(random, 47, gre(random, type, packet));
    case 4:
      return inIp(random, 47, gre(random, 0x6558, frame));
    case 5:
      return inIp(random, 47, erspan(random, frame));
    case 6:
      return inIp(random, version, packet);
    case 7:
      return [0x8847, mpls(labels, packet)];
    case 8:
      return [0x8848, mpls(labels, concat([0, 0, 0, 0], frame))];
    case 9:
      return inIp(
        random,
        random.pick([47, 137]),
        random.chance(2) ? mpls(labels, packet) : gre(random, 0x8847, mpls(labels, packet)),
      );
    default:
      return inIp(random, 17, gtp(random, packet));
  }
}

/** A frame with one to three tunnels; some are cut short. */
export function tunnelledFrame(random: Random): Uint8Array {
  let frame = randomFrame(random);
  let packet: Typed = randomIp(random);
  for (let level = random.pick([1, 1, 1, 2, 2, 3]); level > 0; level--) {
    packet = tunnel(random, frame, packet);
    frame = ether(...packet, random.pick(TAGS));
  }
  return random.chance(8) ? frame.slice(0, random.below(frame.length)) : frame;
}
