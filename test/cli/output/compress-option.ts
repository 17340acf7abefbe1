import t from 'tap';
import { checkCompress } from '../../../src/cli/output/compress-option.js';
import { formatOf, type OutputChoice } from '../../../src/protocol/request.js';
import { planCompression } from '../../../src/sinks/compression.js';

const file = (path: string): OutputChoice => ({ kind: 'file', path });

t.test('by what is typed, else by the name', async (t) => {
  t.same(checkCompress('zstd', file('x')), { codec: 'zstd', level: 1 });
  t.same(checkCompress('gzip:9', { kind: 'stdout' }), { codec: 'gzip', level: 9 });
  t.same(checkCompress('lz4:12', file('x.zst')), { codec: 'lz4', level: 12 }, 'what is typed holds');
  t.equal(checkCompress('none', file('x.zst')), undefined);
  for (const [path, codec, format] of [
    ['x.pcapng.zst', 'zstd', 'pcapng'],
    ['x.pcap.gz', 'gzip', 'pcap'],
    ['x.pcapng.lz4', 'lz4', 'pcapng'],
    ['x.pcapng', undefined, 'pcapng'],
    ['zst', undefined, 'pcap'],
  ] as const) {
    t.equal(checkCompress(undefined, file(path))?.codec, codec, path);
    t.equal(formatOf(path), format, path);
  }
  t.equal(checkCompress(undefined, { kind: 'stdout' }), undefined);
  t.equal(checkCompress(undefined, { kind: 'print' }), undefined);
});

t.test('refusals', async (t) => {
  const refused = (text: string, output: OutputChoice, message: RegExp): unknown =>
    t.throws(() => checkCompress(text, output), { exitCode: 2, message, code: 'ERR_USAGE' });
  refused('bzip2', file('x'), /unknown codec bzip2/);
  refused('zstd:20', file('x'), /--compress zstd: 20 is not a whole number from 1 to 19/);
  refused('gzip:', file('x'), /--compress gzip: nothing is not a whole number/);
  refused('lz4:0', file('x'), /from 1 to 12/);
  refused('zstd', { kind: 'print' }, /packets are not written/);
});

t.test('threads', async (t) => {
  const threads = (cpus: number): number => planCompression({ codec: 'zstd', level: 1 }, cpus).threads;
  t.same([0, 1, 2, 5, 8, 64].map(threads), [1, 1, 1, 2, 4, 4]);
});
