/** What the printing programs are told, and that those installed here take it. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';
import { type Display, PLAIN_DISPLAY } from '../../../src/protocol/display.js';
import { isOnPath } from '../../../src/supervisor/printing/programs.js';
import { tcpdumpArguments } from '../../../src/supervisor/printing/tcpdump.js';
import { tsharkArguments } from '../../../src/supervisor/printing/tshark.js';
import { ether, ipv4, tcp } from '../../helpers/frames.js';
import { writePcap } from '../../helpers/pcap-file.js';

const display = (letters: Display['letters'], more: Partial<Display> = {}): Display => {
  return { ...PLAIN_DISPLAY, letters, ...more };
};

/** What a program prints of one TCP packet. */
function printed(file: string, program: string, args: string[]): string {
  const { status, stdout, stderr } = spawnSync(program, [...args, '-r', file], { encoding: 'utf8' });
  return status === 0 ? stdout : `exit code ${status}: ${stderr}`;
}

t.test('tcpdump', { skip: isOnPath('tcpdump') ? false : 'not installed' }, async (t) => {
  const file = join(t.testdir(), 'a.pcap');
  writePcap(file, [ether(0x0800, ipv4(6, tcp(1234, 80, 2)))]);
  const lines = (given: Display): string => printed(file, 'tcpdump', ['-Z', 'root', ...tcpdumpArguments(given)]);
  t.match(lines(display({})), /^\d\d:\d\d:\d\d\.\d{6} IP 10\.0\.0\.1\.1234 > 10\.0\.0\.2\.80: Flags \[S\], seq 1/);
  t.match(lines(display({ t: 1 })), /^IP /);
  t.match(lines(display({ t: 2 })), /^1700000000\.\d{6} IP/);
  t.match(lines(display({ t: 4 })), /^2023-11-14 \d\d:\d\d:\d\d\.\d{6} IP/);
  t.match(lines(display({ t: 5, '#': 1 })), /^ +1 +00:00:00\.000000 IP/);
  t.match(lines(display({ t: 1, e: 1, x: 2 }, { nano: true })), /^02:.* ethertype IPv4.*\n\t0x0000: {2}0200/);
  t.match(lines(display({}, { values: { T: 'vxlan' } })), /IP 10/);
  t.same(tcpdumpArguments(display({}, { names: ['lengths'], values: { E: 'x' } })), [
    '-nn',
    '-l',
    '-E',
    'x',
    '--lengths',
  ]);
});

t.test('tshark', { skip: isOnPath('tshark') ? false : 'not installed' }, async (t) => {
  const file = join(t.testdir(), 'a.pcap');
  writePcap(file, [ether(0x0800, ipv4(6, tcp(1234, 80, 2)))]);
  const lines = (given: Display): string => printed(file, 'tshark', tsharkArguments(given));
  t.match(lines(display({})), /^\d\d:\d\d:\d\d\.\d+ +10\.0\.0\.1 .* 10\.0\.0\.2 +TCP 54 1234 .* 80 \[SYN\] Seq=0/);
  t.match(lines(display({ t: 1 })), /^ *10\.0\.0\.1/);
  t.match(lines(display({ t: 2 })), /^1700000000\.\d+ +10\./);
  t.match(lines(display({ t: 4 })), /^2023-11-14 \d\d:\d\d:\d\d\.\d+ +10\./);
  t.match(lines(display({ t: 1, '#': 1, e: 1 })), /^ *1 02:00:00:00:00:0a .* 02:00:00:00:00:0b/);
  t.match(lines(display({ t: 1, S: 1 })), /Seq=1 /);
  t.match(lines(display({ t: 1, X: 1 })), /\n0000 {2}02 00 00/);
  t.match(lines(display({ t: 1, v: 2 })), /\nFrame 1: /);
  for (const t3 of [3, 5]) t.match(lines(display({ t: t3 })), /0\.0+ +10\./);
});

t.test('what tshark cannot do is refused', async (t) => {
  t.throws(() => tsharkArguments(display({}, { values: { T: 'vxlan' } })), { exitCode: 2, message: /^-T: tshark/ });
  t.throws(() => tsharkArguments(display({}, { names: ['lengths'] })), { exitCode: 2, message: /^--lengths: tshark/ });
});
