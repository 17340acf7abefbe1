/** Real command lines, by dpcap from a running primary and by tcpdump from the same packets in a file. */
import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import {
  type Finished,
  type Replay,
  readPcap,
  requirements,
  runDpcap,
  startDpcap,
  startReplay,
  writePcap,
} from '../harness/index.js';
import { ANSWERED, PRINTING, REFUSED, WRITING, wordsOf } from '../helpers/command-lines.js';
import { arp, concat, ether, icmp, ipv4, ipv6, tcp, udp, vxlan } from '../helpers/frames.js';

const skip = requirements({ hugepagesMb: 256, tools: ['tcpdump'] });

/** The tagged one is nothing that an expression of the table names, for in dpcap a tag does not hide a packet. */
const PACKETS = [
  ether(0x0806, arp(1)),
  ether(0x0800, ipv4(1, icmp(8))),
  ether(0x0800, ipv4(1, icmp(3))),
  ether(0x0800, ipv4(6, tcp(1234, 80, 2))),
  ether(0x0800, ipv4(6, tcp(80, 1234, 0x18, new TextEncoder().encode('HTTP/1.1 200 OK\r\n\r\n')))),
  ether(0x0800, ipv4(17, udp(53, 5353, [1, 2, 3]))),
  ether(0x86dd, ipv6(17, udp(1025, 161, [1, 2, 3]))),
  ether(0x0800, ipv4(17, udp(7, 7), { dst: '224.0.0.1' })),
  ether(0x0800, ipv4(17, vxlan(42, ether(0x0800, ipv4(1, icmp(0)))))),
  ether(0x88b5, concat([1, 2, 3, 4]), [{ tpid: 0x8100, vid: 7 }]),
];

interface Trial {
  replay: Replay;
  /** What the lines call FILTER and OUT, and the replayed packets. */
  files: { filter: string; out: string; replayed: string };
}

async function trial(t: Test): Promise<Trial> {
  const folder = t.testdir({ filter: '# names\nudp port 53\nor arp\n' });
  const files = {
    filter: join(folder, 'filter'),
    out: join(folder, 'out.pcap'),
    replayed: join(folder, 'replayed.pcap'),
  };
  writePcap(files.replayed, PACKETS);
  const replay = await startReplay([[files.replayed]], PACKETS.length);
  t.teardown(() => replay.testpmd.stop());
  return { replay, files };
}

/** The line's words for dpcap: IF is port 0, whose transmitted packets are none of the file's. */
function ours({ replay, files }: Trial, line: string): string[] {
  const words = wordsOf(line, { IF: '0', FILTER: files.filter, OUT: files.out });
  const memory = words.includes('-B') ? [] : ['-B', '16384'];
  return ['--file-prefix', replay.testpmd.prefix, '-Q', 'in', ...memory, ...words];
}

/** Carries the line out while the packets are replayed. */
async function captured(trial: Trial, line: string): Promise<Finished> {
  const running = startDpcap(ours(trial, line));
  await running.expect(/dpcap: capturing on/, { stream: 'stderr' });
  await trial.replay.play();
  return running.stop('SIGINT', 30_000);
}

/** What tcpdump makes of the line. It prints no names either: nobody can look these up. */
function theirs({ files }: Trial, line: string): Finished {
  const words = wordsOf(line, { FILTER: files.filter, OUT: files.out }).filter((word) => word !== 'IF');
  const input = words.map((word) => word.replace(/^-(\w*)i$/, '-$1r'));
  const at = input.findIndex((word) => /^-\w*r$/.test(word));
  if (at >= 0) input.splice(at + 1, 0, files.replayed);
  const user = input.includes('-Z') ? [] : ['-Z', 'root'];
  const { status, signal, stdout, stderr } = spawnSync('tcpdump', ['-nn', ...user, ...input], { encoding: 'utf8' });
  return { code: status, signal, stdout, stderr };
}

/** Without the time at the beginning of lines, which is that of the replay. */
const timeless = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.replace(/^( *\d+ {2})?(\d{4}-\d\d-\d\d | )?(\d+|\d\d:\d\d:\d\d)\.\d{6,9} ?/, '$1'));

t.test('what is printed is what tcpdump prints', { skip }, async (t) => {
  const one = await trial(t);
  for (const line of PRINTING) {
    const [own, other] = [await captured(one, line), theirs(one, line)];
    t.equal(own.code, 0, own.stderr);
    t.equal(other.code, 0, other.stderr);
    t.same(timeless(own.stdout), timeless(other.stdout), line);
  }
});

t.test('what is written is what tcpdump writes', { skip }, async (t) => {
  const one = await trial(t);
  const written = (): string[] =>
    readPcap(one.files.out).packets.map(({ len, data }) => `${len} ${data.toString('hex')}`);
  for (const line of WRITING) {
    const own = await captured(one, line);
    t.equal(own.code, 0, own.stderr);
    const packets = written();
    rmSync(one.files.out);
    const other = theirs(one, line);
    t.equal(other.code, 0, other.stderr);
    // tcpdump -r cuts nothing short: -s is for what is captured.
    const snaplen = Number(/-s (\d+)/.exec(line)?.[1] ?? 262144);
    const expected = readPcap(one.files.out).packets.map(
      ({ len, data }) => `${len} ${data.subarray(0, snaplen).toString('hex')}`,
    );
    t.same(packets, expected, line);
    t.same(timeless(own.stdout), timeless(other.stdout), line);
  }
});

t.test('what is answered without a capture', { skip }, async (t) => {
  const one = await trial(t);
  for (const line of ANSWERED)
    t.match(await runDpcap(wordsOf(line, {})), { code: 0, stdout: theirs(one, line).stdout }, line);
  const { stdout } = await runDpcap(['-D', '--file-prefix', one.replay.testpmd.prefix]);
  const { prefix, pid } = one.replay.testpmd;
  t.match(stdout, new RegExp(`^0\\.net_pcap0 \\(dpdk-testpmd, pid ${pid}, --file-prefix ${prefix}\\) \\[Up, Running`));
  for (const words of [['-L', '-i', '0'], ['-J'], ['--version'], ['-h']]) {
    t.match(await runDpcap(words), { code: 0, stdout: /\S/ }, words.join(' '));
  }
});

t.test('what both refuse', { skip }, async (t) => {
  const one = await trial(t);
  writeFileSync(one.files.out, 'before');
  for (const line of REFUSED) {
    t.match(await runDpcap(ours(one, line)), { code: 2, stdout: '', stderr: /\S/ }, line);
    t.not(theirs(one, line).code, 0, `tcpdump ${line}`);
  }
});
