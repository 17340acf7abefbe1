/** Files that follow one another are those that tcpdump makes of the same packets, by name and byte for byte. */
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import t, { type Test } from 'tap';
import { type Finished, run, runDpcap, writePcap } from '../harness/index.js';
import { filesIn } from '../helpers/folder.js';

/** Has both programs read these packets into files whose names begin as `name` says. */
async function byBoth(t: Test, frames: readonly Buffer[], words: readonly string[], name: string) {
  const folder = t.testdir({ dpcap: {}, tcpdump: {} });
  const whole = join(folder, 'whole.pcap');
  writePcap(whole, [...frames]);
  const all = (by: string): string[] => ['-r', whole, ...words, '-w', join(folder, by, name)];
  const finished: Finished = await runDpcap(all('dpcap'));
  run('tcpdump', ['-Z', 'root', '--time-stamp-precision=nano', ...all('tcpdump')]);
  const [ours = [], theirs = []] = ['dpcap', 'tcpdump'].map((by) => filesIn(join(folder, by)));
  return { finished, ours, theirs };
}

/** `count` frames of `size` bytes, each filled with its number. */
const numbered = (count: number, size: number): Buffer[] =>
  Array.from({ length: count }, (_, index) => Buffer.alloc(size, index));

t.test('a ring of -C and -W comes around, byte for byte as with tcpdump', async (t) => {
  const { finished, ours, theirs } = await byBoth(t, numbered(8000, 1400), ['-C', '1', '-W', '3'], 'x.pcap');
  t.match(finished, { code: 0, stderr: /to 12 files/ });
  t.same(
    ours.map((path) => basename(path)),
    ['x.pcap0', 'x.pcap1', 'x.pcap2'],
  );
  for (const [at, path] of theirs.entries()) {
    t.ok(readFileSync(ours[at] ?? '').equals(readFileSync(path)), basename(path));
  }
});

t.test('-G takes the time into names, as tcpdump', async (t) => {
  const { finished, ours, theirs } = await byBoth(t, numbered(100, 200), ['-G', '86400'], 'x-%Y%m%d.pcap');
  t.match(finished, { code: 0 });
  t.match(
    ours.map((path) => basename(path)),
    [/^x-\d{8}\.pcap$/],
  );
  t.same(
    ours.map((path) => [basename(path), readFileSync(path)]),
    theirs.map((path) => [basename(path), readFileSync(path)]),
  );
});
