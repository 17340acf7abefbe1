/** The printer of our own against tcpdump, for the packets that it knows; and that it bears all others. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Lines } from '../../src/printer/lines.js';
import { PcapStream } from '../../src/printer/pcap-stream.js';
import type { Display } from '../../src/protocol/display.js';
import { isOnPath } from '../../src/supervisor/printing/programs.js';
import { arp, concat, ether, icmp, ip6, ipv4, ipv6, tcp, u16, u32, udp, vxlan } from '../helpers/frames.js';
import { writePcap } from '../helpers/pcap-file.js';
import { Random } from '../helpers/random.js';

const skip = isOnPath('tcpdump') ? false : 'tcpdump is not installed';

const ONE = [{ tpid: 0x8100, vid: 7 }];
const TWO = [
  { tpid: 0x88a8, vid: 9 },
  { tpid: 0x8100, vid: 0x3007 },
];
const original = ipv4(17, udp(1, 53, [1]));
/** An ICMP error about that packet. */
const error = (type: number, code: number, mtu = 0): Uint8Array =>
  ipv4(1, concat([type, code, 0, 0, 0, 0], u16(mtu), original));
const options = [2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 9, 0, 0, 0, 8, 1, 3, 3, 7];
const withOptions = concat(u16(1234), u16(9999), u32(1), u32(2), [0xa0, 0x12], u16(1024), [0, 0, 0, 0], options);
const sack = [1, 1, 5, 10, 0, 0, 0, 5, 0, 0, 0, 9];
const withSack = concat(u16(1234), u16(9999), u32(1), u32(2), [0x80, 0x10], u16(1024), [0, 0, 0, 0], sack);

const KNOWN = [
  ether(0x0806, arp(1)),
  ether(0x0806, arp(2), ONE),
  ether(0x0806, concat(arp(1).slice(0, 18), new Array(6).fill(0), [10, 0, 0, 9], new Array(18).fill(0))),
  ether(0x0800, ipv4(1, icmp(8))),
  ether(0x0800, ipv4(1, icmp(0)), ONE),
  ...[0, 1, 2, 3].map((code) => ether(0x0800, error(3, code))),
  ether(0x0800, error(3, 4, 1400)),
  ether(0x0800, error(11, 0)),
  ether(0x0800, error(11, 1)),
  ...[0x02, 0x12, 0x10, 0x11, 0x14, 0x38, 0xff, 0].map((flags) => ether(0x0800, ipv4(6, tcp(1234, 9999, flags)))),
  ether(0x0800, ipv4(6, tcp(1234, 9999, 0x18, [1, 2, 3])), TWO),
  ether(0x0800, concat(ipv4(6, tcp(1, 2, 0x10)), [0, 0, 0, 0, 0, 0])),
  ether(0x0800, ipv4(6, withOptions)),
  ether(0x0800, ipv4(6, withSack)),
  ether(0x0800, ipv4(17, udp(7, 9999, [1, 2, 3]), { options: [1, 1, 1, 0] })),
  ether(0x0800, ipv4(17, vxlan(42, ether(0x0800, ipv4(1, icmp(0)))))),
  ether(0x0800, ipv4(17, vxlan(42, ether(0x0806, arp(1), ONE)))),
  ether(0x0800, ipv4(17, udp(7, 9999, [1, 2, 3]), { fragment: 0x2000 })),
  ether(0x0800, ipv4(17, udp(7, 9999, [1, 2, 3]), { fragment: 0x10 })),
  ether(0x0800, ipv4(253, Uint8Array.of(1, 2, 3, 4))),
  ether(0x86dd, ipv6(17, udp(1025, 9999, [1, 2, 3]))),
  ether(0x86dd, ipv6(6, tcp(1025, 9999, 2), '::ffff:10.0.0.1'.replace('10.0.0.1', 'a00:1'), 'fe80::1'), ONE),
  ether(0x86dd, ipv6(17, udp(1, 9999), '::1', '1:0:0:2:0:0:0:3')),
  ether(0x86dd, ipv6(58, concat([128, 0, 0, 0, 0, 1, 0, 2], [1, 2, 3]))),
  ether(0x86dd, ipv6(58, concat([135, 0, 0, 0, 0, 0, 0, 0], ip6('fe80::1')))),
  ether(0x86dd, ipv6(58, concat([136, 0, 0, 0, 0x60, 0, 0, 0], ip6('fe80::1')))),
  ether(0x86dd, ipv6(59, new Uint8Array())),
  ether(0x88b5, Uint8Array.of(1, 2, 3, 4)),
  ether(0x0800, ipv4(6, tcp(1234, 9999, 2))).slice(0, 40),
  ether(0x0800, ipv4(6, tcp(1234, 9999, 2))).slice(0, 30),
  ether(0x0806, arp(1)).slice(0, 20),
  ether(0x0800, ipv4(17, udp(1, 2))).slice(0, 38),
  Uint8Array.of(1, 2, 3),
];

/** What our printer makes of a file, in pieces of `size` bytes. */
function ours(file: string, letters: Display['letters'], nano: boolean, size: number): string {
  const bytes = readFileSync(file);
  const lines = new Lines({ letters, nano });
  const stream = new PcapStream();
  let text = '';
  for (let at = 0; at < bytes.length; at += size) {
    for (const packet of stream.packets(bytes.subarray(at, at + size))) text += lines.text(packet);
  }
  return text;
}

function compare(t: Test, file: string, letters: Display['letters'], nano = false): void {
  const words = Object.entries(letters).map(([letter, times]) => `-${letter.repeat(times)}`);
  const precision = nano ? ['--nano'] : [];
  const args = ['-nn', '-S', '-Z', 'root', ...precision, ...words, '-r', file];
  const theirs = spawnSync('tcpdump', args, { encoding: 'latin1' }).stdout;
  t.same(ours(file, letters, nano, 1 << 16).split('\n'), theirs.split('\n'), `-S ${words.join(' ')}`);
}

t.test('common packets are printed as tcpdump -S prints them', { skip }, async (t) => {
  const file = join(t.testdir(), 'a.pcap');
  writePcap(file, KNOWN);
  for (const times of [0, 1, 2, 3, 4, 5]) compare(t, file, times === 0 ? {} : { t: times }, times % 2 === 0);
  compare(t, file, { t: 1, e: 1, '#': 1 });
});

t.test('their bytes are, too', { skip }, async (t) => {
  const file = join(t.testdir(), 'a.pcap');
  // What is cut off within its headers is printed whole by tcpdump 4.99.
  writePcap(file, KNOWN.slice(0, KNOWN.length - 5));
  for (const letters of [{ x: 1 }, { x: 2 }, { X: 1, e: 1 }, { X: 2 }]) compare(t, file, { t: 1, ...letters });
  const text = ether(0x0800, ipv4(17, udp(7, 9999, new TextEncoder().encode('GET /\r\nHost: x\r\n\r\n\tä'))));
  writePcap(file, [text]);
  for (const letters of [{ A: 1 }, { A: 2 }]) compare(t, file, { t: 1, ...letters });
});

t.test('a stream may come in any pieces', async (t) => {
  const file = join(t.testdir(), 'a.pcap');
  writePcap(file, KNOWN);
  const whole = ours(file, { e: 1 }, true, 1 << 20);
  for (const size of [1, 7, 16, 100]) t.equal(ours(file, { e: 1 }, true, size), whole, `${size} bytes`);
  t.throws(() => [...new PcapStream().packets(Buffer.alloc(24))], /no pcap stream/);
  const broken = Buffer.concat([readFileSync(file).subarray(0, 24), Buffer.alloc(16, 0xff)]);
  t.throws(() => [...new PcapStream().packets(broken)], /no pcap stream/);
});

t.test('packets that are cut off or damaged anywhere are borne', async (t) => {
  const random = new Random(1);
  const lines = new Lines({ letters: { e: 1, X: 1 }, nano: false });
  let printed = 0;
  for (const frame of KNOWN) {
    for (let length = 0; length <= frame.length; length++) {
      const bytes = Buffer.from(frame.slice(0, length));
      printed += lines.text({ ns: 1n, length: frame.length, bytes }).length;
      for (let damage = 0; length > 0 && damage < 3; damage++) bytes[random.below(length)] = random.below(256);
      printed += lines.text({ ns: 1n, length: frame.length, bytes }).length;
    }
  }
  t.ok(printed > 100_000, `${printed} characters`);
});
