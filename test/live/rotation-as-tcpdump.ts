/** Files that follow one another are those that tcpdump makes of the same packets, by name and byte for byte. */
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import t from 'tap';
import { run, runDpcap, writePcap } from '../harness/index.js';
import { filesIn } from '../helpers/folder.js';

t.test('a ring of -C and -W comes around, byte for byte as with tcpdump', async (t) => {
  const folder = t.testdir({ dpcap: {}, tcpdump: {} });
  const whole = join(folder, 'whole.pcap');
  writePcap(
    whole,
    Array.from({ length: 8000 }, (_, index) => Buffer.alloc(1400, index)),
  );
  const words = (by: string): string[] => ['-r', whole, '-C', '1', '-W', '3', '-w', join(folder, by, 'x.pcap')];
  t.match(await runDpcap(words('dpcap')), { code: 0, stderr: /to 12 files/ });
  run('tcpdump', ['-Z', 'root', '--time-stamp-precision=nano', ...words('tcpdump')]);
  const [ours, theirs] = ['dpcap', 'tcpdump'].map((by) => filesIn(join(folder, by)));
  t.same(
    ours?.map((path) => basename(path)),
    ['x.pcap0', 'x.pcap1', 'x.pcap2'],
  );
  for (const [at, path] of (theirs ?? []).entries()) {
    t.ok(readFileSync(ours?.[at] ?? '').equals(readFileSync(path)), basename(path));
  }
});

t.test('-G takes the time into names, as tcpdump', async (t) => {
  const folder = t.testdir({ dpcap: {}, tcpdump: {} });
  const whole = join(folder, 'whole.pcap');
  writePcap(
    whole,
    Array.from({ length: 100 }, (_, index) => Buffer.alloc(200, index)),
  );
  const words = (by: string): string[] => ['-r', whole, '-G', '86400', '-w', join(folder, by, 'x-%Y%m%d.pcap')];
  t.match(await runDpcap(words('dpcap')), { code: 0 });
  run('tcpdump', ['-Z', 'root', '--time-stamp-precision=nano', ...words('tcpdump')]);
  const [ours = [], theirs = []] = ['dpcap', 'tcpdump'].map((by) => filesIn(join(folder, by)));
  t.match(
    ours.map((path) => basename(path)),
    [/^x-\d{8}\.pcap$/],
  );
  t.same(
    ours.map((path) => [basename(path), readFileSync(path)]),
    theirs.map((path) => [basename(path), readFileSync(path)]),
  );
});
