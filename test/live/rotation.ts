/** Files that follow one another: together they are what one file would have been, packet for packet, and each is whole. */
import { mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import t, { type Test } from 'tap';
import { startWithAgent } from '../harness/agent.js';
import {
  balances,
  capinfos,
  capture,
  DPCAP,
  isForwarding,
  type LiveCapture,
  Replay,
  readPcap,
  requirements,
  run,
  start,
  startCapture,
  startTestpmd,
  type Testpmd,
  type TestpmdOptions,
  writePcap,
} from '../harness/index.js';
import { filesIn } from '../helpers/folder.js';
import { closingStatistics } from '../helpers/pcapng-statistics.js';

const skip = requirements({ hugepagesMb: 256 });
/** All of them fit into the memory for copies, so that none is lost however slowly they are taken. */
const FRAMES = 1000;
const PORTS = 3;

/** Frames that differ from each other and end at odd lengths: the first bytes are port and number. */
function frames(port: number): Buffer[] {
  return Array.from({ length: FRAMES }, (_, index) => {
    const frame = Buffer.alloc(60 + ((index * 37) % 300), index);
    frame.writeUInt32BE(port, 0);
    frame.writeUInt32BE(index, 4);
    frame.writeUInt16BE(0x88b5, 12);
    return frame;
  });
}

const WAYS: [name: string, words: string[], start: (options: TestpmdOptions) => Promise<Testpmd>][] = [
  ['pdump', ['--via', 'pdump'], startTestpmd],
  ['agent', ['--via', 'agent'], (options) => startWithAgent('-d', options)],
];

/** What switches files, and the names that come of it. */
const CRITERIA: [words: string[], name: string, pattern: RegExp][] = [
  [['-b', 'packets:700'], 'x.pcap', /^x_\d{5}_\d{14}\.pcap$/],
  [['-b', 'packets:700'], 'x.pcapng', /^x_\d{5}_\d{14}\.pcapng$/],
  [['-b', 'filesize:100'], 'x.pcap', /^x_\d{5}_\d{14}\.pcap$/],
  [['-b', 'filesize:100', '-b', 'packets:500'], 'x.pcapng', /^x_\d{5}_\d{14}\.pcapng$/],
  [['-C', '100k', '-W', '50'], 'x.pcap', /^x\.pcap\d{2}$/],
];

function packetsIn(path: string): Buffer[] {
  const plain = join(path, '..', '..', `${basename(path)}.plain`);
  run('editcap', ['-F', 'nsecpcap', path, plain]);
  const packets = readPcap(plain).packets.map(({ data }) => data);
  rmSync(plain);
  return packets;
}

/** Waits for a record that says that so many files are finished. */
async function finished(running: LiveCapture, files: number): Promise<void> {
  while (((await running.next()).file_count ?? 0) < files);
}

for (const [way, via, start] of WAYS) {
  t.test(`replayed packets, through ${way}`, { skip }, async (t) => {
    const folder = t.testdir();
    const replay = await replaying(t, folder, start);
    const { testpmd } = replay;

    const threads = way === 'pdump' ? ['1', '3'] : ['1'];
    for (const count of threads) {
      for (const [words, name, pattern] of CRITERIA) {
        const title = `${words.join(' ')} ${name}, ${count} threads`;
        const out = join(folder, `out-${title.replaceAll(/\W/g, '-')}`);
        mkdirSync(out);
        const args = [...via, '-i', 'any', '-Q', 'rx', '--threads', count, ...words, '-w', join(out, name)];
        const running = await startCapture(testpmd, args).started();
        await replay.play();
        await running.written(PORTS * FRAMES);
        const captured = await running.stop();
        balances(t, captured);
        const files = filesIn(out);
        t.equal(captured.final?.file_count, files.length, `${title}: ${files.length} files`);
        t.ok(files.length > 3 && files.every((path) => pattern.test(basename(path))), `${title}: their names`);
        isWhole(t, title, files.flatMap(packetsIn));
        isCutRight(t, title, words, files);
      }
    }
  });

  t.test(`times end files, also of a quiet port, through ${way}`, { skip }, async (t) => {
    const folder = t.testdir();
    const replay = await replaying(t, folder, start);
    const many = way === 'pdump' ? ['--threads', '3'] : [];
    for (const [words, name] of [
      [['-b', 'duration:0.3'], 'x.pcapng'],
      [['-b', 'interval:1'], 'x.pcapng'],
      [['-G', '1'], 'x-%Y%m%d-%H%M%S.pcap'],
    ] as const) {
      const out = join(folder, words.join('').replaceAll(/\W/g, ''));
      mkdirSync(out);
      const args = [...via, '-i', 'any', '-Q', 'rx', ...many, ...words, '-w', join(out, name)];
      const running = await startCapture(replay.testpmd, args).started();
      for (let times = 1; times <= 2; times++) {
        await replay.play();
        await finished(running, times); // nothing more comes: time alone ends the file
      }
      balances(t, await running.stop());
      const files = filesIn(out);
      isWhole(t, `${words.join(' ')}, ${files.length} files`, files.flatMap(packetsIn), 2);
      t.ok(
        files.every((path) => Number(capinfos(path)['Number of packets']) > 0),
        'and none is empty',
      );
      if (words[1] === 'interval:1') t.same(files.filter(isOfTwoSeconds), [], 'no file has packets of two periods');
    }
  });

  t.test(`200 rotations at full load leave the last three, through ${way}`, { skip }, async (t) => {
    const testpmd = await start({ vdevs: ['net_null0', 'net_null1'] });
    t.teardown(() => testpmd.stop());
    await testpmd.command('start');
    const folder = t.testdir();
    const words = ['-i', '0', '-s', '64', '-b', 'packets:5000', '-b', 'files:3', '-a', 'files:200'];
    const captured = await capture(testpmd, [...via, ...words, '-w', join(folder, 'x.pcapng')], 120_000);
    balances(t, captured);
    t.match(captured.final, { packets: 1_000_000, file_count: 200, stop_reason: 'files' });
    const files = filesIn(folder);
    t.match(
      files.map((path) => basename(path)),
      [/^x_00198_/, /^x_00199_/, /^x_00200_/],
    );
    for (const path of files)
      t.match(capinfos(path), { 'Number of packets': '5000', 'Strict time order': 'True' }, basename(path));
    await isForwarding(t, testpmd, 'afterwards');
  });
}

/** A testpmd that replays the frames of all ports. */
async function replaying(
  t: Test,
  folder: string,
  start: (options: TestpmdOptions) => Promise<Testpmd>,
): Promise<Replay> {
  const vdevs = Array.from({ length: PORTS }, (_, port) => {
    const path = join(folder, `in-${port}.pcap`);
    writePcap(path, frames(port));
    return `net_pcap${port},rx_pcap=${path}`;
  });
  const testpmd = await start({ vdevs, args: ['--forward-mode=rxonly'], memoryMb: 128 });
  t.teardown(() => testpmd.stop());
  return new Replay(testpmd, PORTS, PORTS * FRAMES);
}

/** All packets of each port are there, as often as they were played, in their order, byte for byte. */
function isWhole(t: Test, title: string, packets: readonly Buffer[], plays = 1): void {
  for (let port = 0; port < PORTS; port++) {
    const own = packets.filter((packet) => packet.readUInt32BE(0) === port);
    const wanted = Array(plays).fill(frames(port)).flat();
    const wrong = wanted.findIndex((frame, index) => own[index]?.equals(frame) !== true);
    t.same([own.length, wrong], [plays * FRAMES, -1], `${title}: port ${port}, byte for byte`);
  }
}

/** Each file but the last has reached a limit, and the statistics at its end are its own. */
function isCutRight(t: Test, title: string, words: readonly string[], files: readonly string[]): void {
  const limit = (name: string): number => Number(words.find((word) => word.startsWith(name))?.split(':')[1] ?? 0);
  const most = limit('packets:');
  const bytes = words[0] === '-C' ? 100 * 1024 : limit('filesize:') * 1000;
  const wrong = files.slice(0, -1).filter((path) => {
    const facts = capinfos(path);
    const packets = Number(facts['Number of packets']);
    const size = Number(facts['File size (bytes)']);
    const isFull = (most > 0 && packets === most) || (bytes > 0 && size >= bytes && size < bytes + 2000);
    return !isFull || (most > 0 && packets > most);
  });
  t.same(wrong, [], `${title}: files end where they are to end`);
  const statistics = files.filter((path) => path.endsWith('.pcapng')).map(closingStatistics);
  for (const [index, own] of statistics.entries()) {
    const delivered = own.reduce((sum, one) => sum + one.delivered, 0);
    const packets = Number(capinfos(files[index] ?? '')['Number of packets']);
    if (own.length !== PORTS || delivered !== packets) t.fail(`${title}: ${files[index]}: ${JSON.stringify(own)}`);
  }
}

/** When the first and the last packet of a file were captured, in nanoseconds since 1970. */
function span(path: string): { first: bigint; last: bigint } {
  const [, first = '', last = ''] = run('capinfos', ['-T', '-r', '-a', '-e', '-S', path]).trim().split('\t');
  const nanoseconds = (seconds: string): bigint => BigInt(seconds.replace('.', '').padEnd(19, '0'));
  return { first: nanoseconds(first), last: nanoseconds(last) };
}

function isOfTwoSeconds(path: string): boolean {
  const { first, last } = span(path);
  return first / 1_000_000_000n !== last / 1_000_000_000n;
}

t.test('a signal ends the last file, and several threads keep the order of time', { skip }, async (t) => {
  const testpmd = await startTestpmd({ vdevs: ['net_null0', 'net_null1'] });
  t.teardown(() => testpmd.stop());
  await testpmd.command('start');
  const folder = t.testdir();
  const words = ['-i', 'any', '-s', '64', '--threads', '3', '-b', 'packets:20000'];
  const running = await startCapture(testpmd, [...words, '-w', join(folder, 'x.pcap')]).started();
  await running.written(100_000);
  const captured = await running.stop();
  balances(t, captured);
  const facts = filesIn(folder).map(capinfos);
  t.ok(
    facts.every((one) => one['Strict time order'] === 'True'),
    'each file is in the order of time',
  );
  const spans = filesIn(folder).map(span);
  const early = spans.filter(({ first }, at) => first < (spans[at - 1]?.last ?? 0n));
  t.same(early, [], 'and none begins before the one before it has ended');
  const counts = facts.map((one) => Number(one['Number of packets']));
  t.ok(
    counts.slice(0, -1).every((count) => count === 20_000),
    `${counts.length} files, full but the last`,
  );
  t.equal(
    counts.reduce((sum, count) => sum + count, 0),
    captured.final?.packets,
  );
});

t.test('files are complete when their names are told, and when a program gets them', { skip }, async (t) => {
  const testpmd = await startTestpmd({ vdevs: ['net_null0'] });
  t.teardown(() => testpmd.stop());
  await testpmd.command('start');
  const folder = t.testdir({ out: {} });
  const [out, list] = [join(folder, 'out'), join(folder, 'list')];
  const words = ['-i', '0', '-s', '64', '-b', 'packets:1000', '-b', `printname:${list}`, '-a', 'files:4', '-z', 'gzip'];
  const captured = await capture(testpmd, [...words, '-w', join(out, 'x.pcap')]);
  balances(t, captured);
  const names = readFileSync(list, 'utf8').split('\n').slice(0, -1);
  t.equal(names.length, 4);
  t.same(
    filesIn(out),
    names.map((name) => `${name}.gz`),
    'gzip has taken each',
  );
  for (const path of filesIn(out)) t.equal(capinfos(path)['Number of packets'], '1000');
});

t.test('the umask holds for each file', { skip }, async (t) => {
  const replay = await replaying(t, t.testdir({ out: {} }), startTestpmd);
  const out = join(t.testdirName, 'out');
  const words = [
    '--file-prefix',
    replay.testpmd.prefix,
    '-i',
    'any',
    '-B',
    '16384',
    '-b',
    'packets:1000',
    '-a',
    'files:2',
  ];
  const running = start('sh', ['-c', 'umask 077; exec "$0" "$@"', DPCAP, ...words, '-w', join(out, 'x.pcap')]);
  await running.expect(/capturing on/, { stream: 'stderr' });
  await replay.play();
  t.match(await running.wait(), { code: 0 });
  t.same(
    filesIn(out).map((path) => statSync(path).mode & 0o777),
    [0o600, 0o600],
  );
});
