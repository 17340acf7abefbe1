/** Compressed files as they are written, against the tools that users have: zstd, gzip, lz4, tshark, capinfos. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, openSync, readdirSync, readFileSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import { CODEC_NAMES, CODECS } from '../../src/sinks/compression.js';
import { capinfos, tsharkFields } from '../harness/pcap.js';
import { DPCAP, run, runDpcap, startDpcap } from '../harness/processes.js';
import { writePcap } from '../helpers/pcap-file.js';

/** Some megabytes, so that there are several frames. */
const FRAMES = Array.from({ length: 6000 }, (_, index) => {
  const frame = Buffer.alloc(60 + ((index * 37) % 1400), `packet ${index} `);
  frame.writeUInt16BE(0x88b5, 12);
  return frame;
});
const READ_MICRO = ['--time-precision=micro', '--stats', 'none'];

t.test('whole files, by each codec', async (t) => {
  const folder = t.testdir();
  const [plain, back] = [join(folder, 'plain.pcap'), join(folder, 'back.pcap')];
  writePcap(plain, FRAMES);
  for (const codec of CODEC_NAMES) {
    for (const level of [CODECS[codec].usual, CODECS[codec].most]) {
      const file = join(folder, `out.pcap${CODECS[codec].suffix}`);
      const words = ['-r', plain, '-w', file, '--compress', `${codec}:${level}`, ...READ_MICRO];
      t.match(await runDpcap(words), { code: 0, stderr: '' });
      run(codec, ['-t', '-q', file]);
      const unpacked = execFileSync(codec, ['-dc', '-q', file], { maxBuffer: 2 ** 28 });
      t.ok(unpacked.equals(readFileSync(plain)), `${codec}:${level}: what ${codec} -dc gives, byte for byte`);
      t.ok(statSync(file).size < statSync(plain).size / 3, 'and it is smaller');
      t.match(await runDpcap(['-r', file, '-w', back, ...READ_MICRO]), { code: 0, stderr: '' });
      t.ok(readFileSync(back).equals(readFileSync(plain)), 'and back');
    }
  }
});

// Wireshark 4.0 does not find the next frame of zstd and lz4 wherever it begins (also in what `zstd` itself made of several
// files); of gzip it does.
t.test("Wireshark's tools open what is named .gz, and the others behind their own programs", async (t) => {
  const folder = t.testdir();
  const plain = join(folder, 'plain.pcap');
  writePcap(plain, FRAMES);
  for (const codec of CODEC_NAMES) {
    const file = join(folder, `out.pcapng${CODECS[codec].suffix}`);
    t.match(await runDpcap(['-r', plain, '-w', file, '--stats', 'none']), { code: 0, stderr: '' });
    const opened = codec === 'gzip' ? file : `${file}.pcapng`;
    if (codec !== 'gzip') run('sh', ['-c', '"$0" -dc -q "$1" >"$2"', codec, file, opened]);
    t.match(capinfos(opened), { 'File type': 'pcapng', 'Number of packets': String(FRAMES.length) }, codec);
    t.same(
      tsharkFields(opened, ['frame.len']).flat(),
      FRAMES.map(({ length }) => String(length)),
    );
  }
});

t.test('files that follow one another', async (t) => {
  const folder = t.testdir();
  const plain = join(folder, 'plain.pcap');
  writePcap(plain, FRAMES);
  const words = ['-r', plain, '-w', join(folder, 'out.pcap.zst'), '-b', 'packets:2500', ...READ_MICRO];
  t.match(await runDpcap(words), { code: 0, stderr: '' });
  const files = readdirSync(folder)
    .filter((name) => name !== 'plain.pcap')
    .sort();
  t.match(files, [/^out_00001_\d+\.pcap\.zst$/, /^out_00002_/, /^out_00003_/]);
  const contents = files.map((name) => execFileSync('zstd', ['-dcq', join(folder, name)], { maxBuffer: 2 ** 28 }));
  const whole = readFileSync(plain);
  t.ok(
    contents.every((content) => content.subarray(0, 24).equals(whole.subarray(0, 24))),
    'each has a head',
  );
  t.ok(Buffer.concat([whole.subarray(0, 24), ...contents.map((content) => content.subarray(24))]).equals(whole));
});

t.test('a pipe', async (t) => {
  const plain = join(t.testdir(), 'plain.pcap');
  writePcap(plain, FRAMES);
  const script = '"$0" -r "$1" -w - --compress zstd --time-precision=micro --stats none | zstd -dc | cmp - "$1"';
  t.match(spawnSync('sh', ['-c', script, DPCAP, plain], { encoding: 'utf8' }), { status: 0, stdout: '', stderr: '' });
});

t.test('a writer that is killed leaves a file that can be read as far as it goes', async (t) => {
  const folder = t.testdir();
  const [plain, fifo] = [join(folder, 'plain.pcap'), join(folder, 'fifo')];
  writePcap(plain, FRAMES);
  run('mkfifo', [fifo]);
  const file = join(folder, 'out.pcap.zst');
  const words = ['--time-precision=micro', '--stats', 'ndjson', '--log-level', 'debug'];
  const running = startDpcap(['-r', fifo, '-w', file, ...words]);
  const [, pid] = await running.expect(/"pid":(\d+),"seed".*engine started/);
  const feed = openSync(fifo, 'r+');
  const bytes = readFileSync(plain);
  for (let at = 0; at < bytes.length; at += 65536) writeSync(feed, bytes, at, Math.min(65536, bytes.length - at));
  const partial = (): string | undefined => readdirSync(folder).find((name) => name.endsWith('.partial'));
  const size = (): number => statSync(join(folder, partial() ?? '')).size;
  await running.expect(new RegExp(`"packets":${FRAMES.length}`), { timeoutMs: 60_000 });
  while (partial() === undefined || size() < 100_000) await setImmediate();
  process.kill(Number(pid), 'SIGKILL');
  t.match(await running.wait(), { code: 1, stderr: /engine ended unexpectedly.*what was written until then is in/s });
  t.notOk(existsSync(file), 'it is not taken for a finished one');
  const back = join(folder, 'back.pcap');
  t.match(await runDpcap(['-r', join(folder, partial() ?? ''), '-w', back, ...READ_MICRO]), { code: 0 });
  const got = readFileSync(back);
  t.ok(got.length > 1_000_000, `${got.length} bytes`);
  t.ok(got.equals(bytes.subarray(0, got.length)), 'byte for byte');
});
