/** IPv6 packets with extension headers, in any order and number. */
import { concat, ether, ipv6, tcp, u16, u32, udp } from './frames.js';
import type { Random } from './random.js';

const ADDRESSES = ['2001:db8::1', '2001:db8::2', 'fe80::1', '2001:db8:0:1::5'];

function extension(random: Random, type: number, next: number): Uint8Array {
  if (type === 44) {
    const offset = random.chance(3) ? random.below(0x1fff) << 3 : 0;
    return concat([next, random.below(256)], u16(offset | random.below(2)), u32(7));
  }
  const length = random.pick([0, 0, 1, 2, 5]);
  const size = type === 51 ? (length + 2) * 4 : (length + 1) * 8;
  return concat([next, length], random.bytes(size - 2));
}

/** A frame with up to eight of them, sometimes cut off somewhere. */
export function extendedFrame(random: Random, port: number): Uint8Array {
  const types = Array.from({ length: random.pick([0, 1, 1, 2, 3, 5, 6, 7, 8]) }, () =>
    random.pick([0, 43, 44, 51, 60]),
  );
  const last = random.pick([6, 17, 132, 58, 59, 50, 6, 17]);
  const ports: [number, number] = random.chance(2) ? [port, 4000] : [4000, port];
  const payload = last === 17 ? udp(...ports) : tcp(...ports, 2);
  const numbers = [...types, last];
  const packet = types.map((type, at) => extension(random, type, numbers[at + 1] as number));
  const whole = ether(
    0x86dd,
    ipv6(numbers[0] as number, concat(...packet, payload), random.pick(ADDRESSES), random.pick(ADDRESSES)),
    random.chance(3) ? [{ tpid: 0x8100, vid: 9 }] : [],
  );
  return random.chance(6) ? whole.subarray(0, random.between(14, whole.length)) : whole;
}
