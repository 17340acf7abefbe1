/** tcpdump's letters on a running primary: what is printed, without -w and beside it, and by whom. */
import { chownSync, existsSync, mkdirSync, readdirSync, statSync, symlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import {
  balances,
  countPackets,
  DPCAP,
  type Finished,
  type Replay,
  readPcap,
  requirements,
  run,
  start,
  startDpcap,
  startPipeline,
  startReplay,
  tcpdumpLines,
  underLoad,
  writePcap,
} from '../harness/index.js';
import { arp, ether, icmp, ipv4, tcp, udp, vxlan } from '../helpers/frames.js';

const skip = requirements({ hugepagesMb: 256, tools: ['tcpdump', 'tshark', 'capinfos'] });

const NOBODY = 65534;

const PACKETS = [
  ether(0x0806, arp(1)),
  ether(0x0800, ipv4(1, icmp(8))),
  ether(0x0800, ipv4(6, tcp(1234, 80, 2))),
  ether(0x0800, ipv4(6, tcp(80, 1234, 0x12)), [{ tpid: 0x8100, vid: 7 }]),
  ether(0x0800, ipv4(17, udp(1053, 5555, [1, 2, 3]))),
  ether(0x0800, ipv4(17, vxlan(42, ether(0x0800, ipv4(1, icmp(0)))))),
];

/** A primary that replays these packets, and the file that it replays. */
async function replaying(t: Test): Promise<{ replay: Replay; file: string }> {
  const file = join(t.testdir(), 'replayed.pcap');
  writePcap(file, PACKETS);
  const replay = await startReplay([[file]], PACKETS.length);
  t.teardown(() => replay.testpmd.stop());
  return { replay, file };
}

/** Captures exactly the replayed packets. */
async function captured(replay: Replay, words: string[], env: NodeJS.ProcessEnv = {}): Promise<Finished> {
  const common = ['--file-prefix', replay.testpmd.prefix, '-i', '0', '-Q', 'in', '-B', '16384'];
  const running = startDpcap([...common, '-c', String(PACKETS.length), ...words], { env });
  await running.expect(/dpcap: capturing on/, { stream: 'stderr' });
  await replay.play();
  return running.wait();
}

const withoutTime = (text: string): string[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.replace(/\d\d:\d\d:\d\d\.\d+ /, ''));

t.test('printed as tcpdump prints the same packets', { skip }, async (t) => {
  const { replay, file } = await replaying(t);
  for (const letters of [['-t'], ['-t', '-e'], ['-t', '-v', '-x'], ['-tXX'], ['-tA', '-S', '-#'], ['-t', '-q', '-K']]) {
    const { code, stdout } = await captured(replay, letters);
    const theirs = run('tcpdump', ['-nn', '-Z', 'root', ...letters, '-r', file]);
    t.equal(code, 0);
    t.equal(stdout, theirs, letters.join(' '));
  }
  const { stdout } = await captured(replay, ['-tttt']);
  const today = String(new Date().getFullYear());
  t.ok(
    stdout
      .trim()
      .split('\n')
      .filter((line) => !/^IP /.test(line)) // what is inside VXLAN has a line of its own
      .every((line) => line.startsWith(today)),
    '-tttt has dates',
  );
  const { code, stderr } = await captured(replay, ['-T', 'nonesuch']);
  t.equal(code, 1);
  t.match(stderr, /unknown packet type/);
  t.match(stderr, /tcpdump, which prints the packets, failed/);
});

t.test('--print beside -w: the file has what it has without, and the lines are of its packets', { skip }, async (t) => {
  const { replay } = await replaying(t);
  for (const name of ['x.pcap', 'x.pcapng']) {
    const path = join(t.testdirName, name);
    const { code, stdout, stderr } = await captured(replay, ['--print', '-w', path, '-t']);
    t.equal(code, 0, stderr);
    t.match(stderr, new RegExp(`to ${path} \\(\\w+\\) and tcpdump`));
    t.same(withoutTime(stdout), tcpdumpLines(path), name);
    t.equal(withoutTime(stdout).length, PACKETS.length + 1, 'and one for what is inside VXLAN');
  }
  const bare = join(t.testdirName, 'bare.pcap');
  t.match(await captured(replay, ['-w', bare]), { code: 0, stdout: '' });
  const bytes = (file: string): string[] => readPcap(file).packets.map(({ data }) => data.toString('hex'));
  t.same(bytes(join(t.testdirName, 'x.pcap')), bytes(bare));
});

t.test('a reader of the lines that leaves takes nothing from the file', { skip }, async (t) => {
  const { replay } = await replaying(t);
  const path = join(t.testdirName, 'x.pcap');
  const words = ['-i', '0', '-Q', 'in', '-c', String(PACKETS.length), '--print', '-w', path];
  const pipeline = startPipeline(replay.testpmd, words, 'exec head -1');
  await pipeline.started();
  await replay.play();
  balances(t, await pipeline.finished());
  t.equal(readPcap(path).packets.length, PACKETS.length);
});

t.test('a reader of the lines that stalls takes nothing from the file either', { skip }, async (t) => {
  const testpmd = await underLoad(t);
  const path = join(t.testdir(), 'x.pcap');
  const words = ['-i', '0', '-s', '64', '-c', '50000', '--print', '-w', path];
  const pipeline = startPipeline(testpmd, words, 'exec sleep 600');
  await pipeline.shell.expect(/"stop_reason":"packets"/, { stream: 'stderr', timeoutMs: 30_000 });
  t.equal(countPackets(path), 50_000);
  await pipeline.signal('SIGINT');
  const captured = await pipeline.finished();
  balances(t, captured);
  t.match(captured, { code: 0, final: { packets: 50_000 } }, 'a signal ends the printing');
  await pipeline.close();
});

t.test('--print needs a file', { skip }, async (t) => {
  const { replay } = await replaying(t);
  const running = startDpcap(['--file-prefix', replay.testpmd.prefix, '-i', '0', '--print', '-w', '-']);
  t.match(await running.wait(), { code: 2, stdout: '', stderr: /--print needs a file.*\n.*tee/ });
  const several = ['-b', 'packets:2', '--print', '-w', join(t.testdirName, 'x.pcap')];
  const rotating = startDpcap(['--file-prefix', replay.testpmd.prefix, '-i', '0', ...several]);
  t.match(await rotating.wait(), { code: 2, stderr: /--print reads one file/ });
});

/** A PATH on which tcpdump is not. */
function pathWithout(t: Test, programs: string[]): string {
  const folder = join(t.testdirName, `bin-${programs.length}`);
  mkdirSync(folder);
  for (const name of ['node', 'readlink', 'cat', ...programs]) {
    symlinkSync(
      name === 'node' ? process.execPath : run('sh', ['-c', `command -v ${name}`]).trim(),
      join(folder, name),
    );
  }
  return folder;
}

t.test('tshark prints where tcpdump is not installed', { skip }, async (t) => {
  const { replay } = await replaying(t);
  const PATH = pathWithout(t, ['tshark']);
  const { code, stdout, stderr } = await captured(replay, ['-t', '-#'], { PATH });
  t.equal(code, 0, stderr);
  t.match(stdout.split('\n')[2], /^ *3 +10\.0\.0\.1 .* 10\.0\.0\.2 +TCP/);
  t.equal(stdout.trim().split('\n').length, PACKETS.length);
  t.notMatch(stderr, /Running as user/);
});

t.test('where tshark is not either, dpcap prints by itself', { skip }, async (t) => {
  const { replay, file } = await replaying(t);
  const PATH = pathWithout(t, []);
  const { code, stdout, stderr } = await captured(replay, ['-t', '-e'], { PATH });
  t.equal(code, 0, stderr);
  t.match(stderr, /to dpcap's own printer/);
  t.equal(stdout, run('tcpdump', ['-nn', '-S', '-t', '-e', '-Z', 'root', '-r', file]));
  t.match(await captured(replay, ['-t', '-#', '--print', '-w', join(t.testdirName, 'x.pcap')], { PATH }), {
    code: 0,
    stdout: /^ {4}1 {2}ARP, /,
  });
  const refused = startDpcap(['--file-prefix', replay.testpmd.prefix, '-T', 'vxlan'], { env: { PATH } });
  t.match(await refused.wait(), { code: 2, stderr: /^dpcap: -T: neither tcpdump nor tshark is installed/ });
  const script = `"$0" "$@"; echo "dpcap exit $?" >&2`;
  const words = ['--file-prefix', replay.testpmd.prefix, '-i', '0', '-Q', 'in', '-B', '16384', '-t'];
  const head = start('/bin/sh', ['-c', `{ ${script}; } | /usr/bin/head -1`, DPCAP, ...words], { env: { PATH } });
  await head.expect(/dpcap: capturing on/, { stream: 'stderr' });
  // Who writes again notices that nobody reads.
  for (let times = 0; head.alive() && times < 100; times++) await replay.play();
  t.match(await head.wait(), { code: 0, stdout: /^ARP, .*\n$/, stderr: /ended: reader closed.*\n[\s\S]*dpcap exit 0/ });
});

t.test('-U: the file can be followed under the name that is documented', { skip }, async (t) => {
  const { replay } = await replaying(t);
  const path = join(t.testdirName, 'x.pcap');
  const common = ['--file-prefix', replay.testpmd.prefix, '-i', '0', '-Q', 'in', '-B', '16384'];
  const running = startDpcap([...common, '-U', '-w', path]);
  await running.expect(/\(pcap, written as .*x\.pcap\.partial until it is complete\)/, { stream: 'stderr' });
  const second = startDpcap([...common, '-U', '-w', path]);
  t.match(await second.wait(), { code: 1, stderr: /EEXIST.*\n.*another capture writes it/ }, 'one at a time');
  const follow = `tail -c +1 -f --pid=${running.pid} ${path}.partial | tcpdump -nn -l -Z root -r -`;
  const reader = start('sh', ['-c', follow]);
  await replay.play();
  await reader.expect(/VXLAN/, { stream: 'stdout' });
  t.notOk(existsSync(path), 'it has its name when it is complete');
  running.signal('SIGUSR2');
  t.match(await running.stop(), { code: 0 });
  t.match(await reader.wait(), { code: 0 });
  t.equal(readPcap(path).packets.length, PACKETS.length);
});

t.test('a pcapng file says what it is', { skip }, async (t) => {
  const { replay } = await replaying(t);
  const path = join(t.testdirName, 'x.pcapng');
  const comments = ['--capture-comment', 'ticket 4711', '--capture-comment', 'before the upgrade'];
  t.match(await captured(replay, [...comments, '-w', path, 'ip or arp']), { code: 0 });
  const text = run('capinfos', [path]);
  t.match(text, /Capture comment: +ticket 4711\nCapture comment: +before the upgrade\nCapture comment: +timestamps:/);
  t.match(text, /Name = net_pcap0\n/);
  const where = new RegExp(`port 0 of dpdk-testpmd, pid ${replay.testpmd.pid}, .*: .*, on host ${hostname()}`);
  t.match(text, where);
  t.match(text, /ip or arp/, 'the filter');
});

t.test('-Z gives the file to a user, who prints as well', { skip }, async (t) => {
  const { replay } = await replaying(t);
  const folder = join(t.testdirName, 'his');
  mkdirSync(folder);
  chownSync(folder, NOBODY, NOBODY);
  const path = join(folder, 'x.pcap');
  t.match(await captured(replay, ['-Z', 'nobody', '-w', path]), { code: 0 });
  t.match(statSync(path), { uid: NOBODY });
  t.match(await captured(replay, ['-t', '-Z', 'nobody']), { code: 0, stdout: /^ARP/ });
  const env = { SUDO_UID: String(NOBODY), SUDO_GID: String(NOBODY), SUDO_USER: 'nobody' };
  const sudo = await captured(replay, ['-w', path], env);
  t.match(sudo, { code: 0 });
  t.notMatch(sudo.stderr, /is closed to/);
  t.match(statSync(path), { uid: NOBODY }, 'the caller of sudo gets it, too');
  const elsewhere = join(t.testdirName, 'x.pcap');
  t.match(await captured(replay, ['-w', elsewhere], env), { code: 0, stderr: /is closed to nobody/ });
  t.match(statSync(elsewhere), { uid: 0 }, 'but not in a directory of root');
});

t.test('SIGUSR1 asks for the figures, and SIGUSR2 finds everything in the file', { skip }, async (t) => {
  const { replay } = await replaying(t);
  const words = ['--file-prefix', replay.testpmd.prefix, '-i', '0', '-Q', 'in', '-B', '16384'];
  const running = startDpcap([...words, '-w', join(t.testdirName, 'x.pcap')]);
  await running.expect(/dpcap: capturing on/, { stream: 'stderr' });
  await replay.play();
  const figures = async (): Promise<string> => {
    const from = running.stderr.length;
    running.signal('SIGUSR1');
    return (await running.expect(/dpcap: \d+ packets captured in .*\n/, { from, stream: 'stderr' }))[0];
  };
  let text = await figures();
  // The last packets may be on their way.
  for (let times = 0; times < 5000 && !/: 6 packets/.test(text); times++) text = await figures();
  t.match(text, /^dpcap: 6 packets captured in .*; 0 packets lost/);
  running.signal('SIGUSR2');
  const [partial = ''] = readdirSync(t.testdirName).filter((name) => name.endsWith('.partial'));
  const follow = `tail -c +1 -f --pid=${running.pid} ${join(t.testdirName, partial)} | tcpdump -nn -l -Z root -r -`;
  const reader = start('sh', ['-c', follow]);
  await reader.expect(/VXLAN/, { stream: 'stdout' });
  t.match(await running.stop(), { code: 0 });
  t.match(await reader.wait(), { code: 0 });
});
