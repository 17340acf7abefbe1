/** Names of files that follow one another: dumpcap's and tcpdump's, to the letter. */
import t from 'tap';
import { beforeSuffix, digitsFor, FileNames } from '../../../src/sinks/rotation/names.js';
import type { RotationPlan } from '../../../src/sinks/rotation/plan.js';

const AT = new Date(2026, 10, 29, 4, 9, 32);

function names(path: string, plan: Pick<RotationPlan, 'names' | 'ring'>, times: Date[]): string[] {
  const all = new FileNames(path, plan);
  return times.map((time, index) => all.next(index + 1, time));
}

t.test("dumpcap's: number and local time before the suffix", async (t) => {
  const plan = { names: { kind: 'numbered' }, ring: 3 } as const;
  t.same(names('/data/out.pcapng', plan, [AT, AT]), [
    '/data/out_00001_20261129040932.pcapng',
    '/data/out_00002_20261129040932.pcapng',
  ]);
  t.same(names('out', plan, [AT]), ['out_00001_20261129040932']);
  t.same(names('a.b/out', plan, [AT]), ['a.b/out_00001_20261129040932'], 'a dot in a directory is no suffix');
});

t.test('a suffix is what a reader goes by, also of a compressed file', async (t) => {
  const all = ['x.pcapng.zst', 'x.pcap', 'x.gz', 'a.b/x'].map((path) => beforeSuffix(path, '-2'));
  t.same(all, ['x-2.pcapng.zst', 'x-2.pcap', 'x-2.gz', 'a.b/x-2']);
});

t.test("tcpdump's -C: the first has no number", async (t) => {
  const plan = { names: { kind: 'counted', digits: 0 }, ring: 0 } as const;
  t.same(names('x.pcap', plan, [AT, AT, AT]), ['x.pcap', 'x.pcap1', 'x.pcap2']);
});

t.test("tcpdump's -C with -W: numbers of one length, in a ring", async (t) => {
  const plan = { names: { kind: 'counted', digits: digitsFor(11) }, ring: 11 } as const;
  const all = names('x.pcap', plan, Array(12).fill(AT));
  t.same([all[0], all[10], all[11]], ['x.pcap00', 'x.pcap10', 'x.pcap00']);
  t.same([1, 2, 10, 11, 100, 101].map(digitsFor), [0, 1, 1, 2, 2, 3], 'as getWflagChars() of tcpdump.c');
});

t.test("tcpdump's -G: a format of strftime, with -C followed by a number", async (t) => {
  const later = new Date(AT.getTime() + 1000);
  const timed = { names: { kind: 'timed', isCounted: false, digits: 0 }, ring: 0 } as const;
  t.same(names('d/x-%H%M%S.pcap', timed, [AT, later]), ['d/x-040932.pcap', 'd/x-040933.pcap']);
  const both = { names: { kind: 'timed', isCounted: true, digits: 2 }, ring: 0 } as const;
  t.same(names('x-%M%S.pcap', both, [AT, AT, later]), ['x-0932.pcap00', 'x-0932.pcap01', 'x-0933.pcap00']);
});
