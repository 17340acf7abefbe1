/** Captures that are compressed while they are written. */
import { randomBytes } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import {
  balances,
  capture,
  countPackets,
  enginePid,
  type Finished,
  isUnharmed,
  remember,
  requirements,
  run,
  runDpcap,
  startCapture,
  startReplay,
  startTestpmd,
  tsharkFields,
  writePcap,
} from '../harness/index.js';

/** A second, and some more on a busy machine. */
const MOST_MS = 5000;

const skip = requirements({ hugepagesMb: 256, tools: ['zstd', 'lz4'] });

t.test('at whatever rate, what is written and what is lost is all that passed', { skip }, async (t) => {
  const testpmd = await startTestpmd({ vdevs: ['net_null0'] });
  t.teardown(() => testpmd.stop());
  await testpmd.command('start');
  const before = await remember(testpmd);
  const folder = t.testdir();
  for (const [name, words] of [
    ['x.pcapng.gz', ['-Q', 'rx', '-s', '64']],
    ['x.pcap.gz', ['--compress', 'gzip:9', '-F', 'pcapng']], // slower than what comes
  ] as const) {
    const captured = await capture(testpmd, [...words, '-a', 'duration:2', '-w', join(folder, name)], 60_000);
    balances(t, captured); // counts the packets of the file, which capinfos can open
    t.ok((captured.final?.packets ?? 0) > 10_000, name);
  }
  for (const codec of ['zstd', 'lz4']) {
    const file = join(folder, `x.${codec}`);
    const { final, code } = await capture(testpmd, ['-c', '300000', '--compress', codec, '-w', file], 60_000);
    t.match({ code, packets: final?.packets }, { code: 0, packets: 300_000 });
    run('sh', ['-c', `${codec} -dc -q "$0" >"$0.pcap"`, file]);
    t.equal(countPackets(`${file}.pcap`), 300_000, `${codec}: exactly so many, in whole frames`);
  }
  await isUnharmed(t, testpmd, before, 'after compressed captures');
});

t.test('slower than what comes: lost at the output, and as many as were asked for in the end', { skip }, async (t) => {
  const folder = t.testdir();
  const [input, file] = [join(folder, 'in.pcap'), join(folder, 'x.pcapng.zst')];
  writePcap(
    input,
    Array.from({ length: 64 }, () => randomBytes(1400)),
  );
  const testpmd = await startTestpmd({ vdevs: [`net_pcap0,rx_pcap=${input},infinite_rx=1`], memoryMb: 192 });
  t.teardown(() => testpmd.stop());
  await testpmd.command('start');
  const words = ['-i', '0', '-Q', 'rx', '-c', '30000', '--compress', 'zstd:19', '-w', file];
  const captured = await capture(testpmd, words, 60_000);
  t.match(captured, { code: 0, final: { packets: 30_000 }, stderr: /more packets come than zstd:19 compresses/ });
  t.ok(captured.final?.ports.every(({ sinkdrop, written }) => sinkdrop > 0 && written > 0));
  run('sh', ['-c', 'zstd -dc -q "$0" >"$0.pcapng"', file]);
  const gaps = tsharkFields(`${file}.pcapng`, ['frame.drop_count']).map(([lost]) => Number(lost));
  t.equal(gaps.length, 30_000);
  t.ok(gaps.filter((lost) => lost > 0).length > 0, 'what was lost is told where it is missing');
  const lost =
    captured.final?.ports.reduce(
      (sum, lane) => sum + lane.sinkdrop + lane.ringfull + lane.nombuf + lane.contended,
      0,
    ) ?? 0;
  t.ok(gaps.reduce((sum, one) => sum + one, 0) <= lost, 'and no more than what was counted');
});

t.test('a few packets are in the file within a second, to be read while it grows', { skip }, async (t) => {
  const folder = t.testdir();
  const [input, output] = [join(folder, 'in.pcap'), join(folder, 'x.pcap.zst')];
  writePcap(input, Array(5).fill(Buffer.alloc(60, 1)));
  const replay = await startReplay([[input]], 5);
  t.teardown(() => replay.testpmd.stop());
  const running = await startCapture(replay.testpmd, ['-i', '0', '-Q', 'rx', '-w', output]).started();
  await replay.play();
  const played = performance.now();
  const [partial = ''] = readdirSync(folder).filter((name) => name.endsWith('.partial'));
  const count = (): Promise<Finished> => runDpcap(['-r', join(folder, partial), '--count', '--stats', 'none']);
  let read = await count();
  while (read.stdout !== '5 packets\n' && performance.now() - played < MOST_MS) read = await count();
  t.match(read, { code: 0, stdout: '5 packets\n' });
  t.match(await running.stop(), { code: 0, final: { packets: 5 } });
});

t.test('an engine that is killed leaves what it had written', { skip }, async (t) => {
  const testpmd = await startTestpmd({ vdevs: ['net_null0'] });
  t.teardown(() => testpmd.stop());
  const folder = t.testdir();
  const running = await startCapture(testpmd, ['-w', join(folder, 'x.pcap.zst')]).started();
  await testpmd.command('start');
  const partial = (): string => join(folder, readdirSync(folder)[0] ?? '');
  while (statSync(partial()).size < 200_000) await sleep(10);
  process.kill(enginePid(running.pid), 'SIGKILL');
  t.match(await running.ended(), { code: 1, messages: /what was written until then is in .*\.partial/ });
  const read = await runDpcap(['-r', partial(), '--count', '--stats', 'none']);
  t.equal(read.code, 0, read.stderr);
  t.ok(Number.parseInt(read.stdout, 10) > 10_000, read.stdout);
});
