import t from 'tap';
import type { BoxFacts, Saved } from '../../src/native/recorder-binding.js';
import { formatBoxes, savedLines, tooManyLanes } from '../../src/recorder/report.js';
import { sinceOf } from '../../src/recorder/save.js';

const S = 1_000_000_000n;
const T = 1_796_000_000n * S;
const WHOLE: Saved = {
  packets: 5n,
  bytes: 300n,
  firstNs: T,
  lastNs: T + 30n * S,
  overwrittenUntilNs: 0n,
  cutOff: 0,
  overwritten: 0,
  damaged: 0,
  failure: null,
};

const KEPT = { full: 0n, contended: 0n };

function lines(some: Partial<Saved>, sinceNs: bigint, startedNs = T - 100n * S, lanes = [KEPT]): string[] {
  return savedLines({ ...WHOLE, ...some }, { sinceNs, startedNs, lanes }, 'x.pcapng').map((line) =>
    line.replace(/\d{4}-[\d-]+ [\d:]+\.\d+/g, 'TIME'),
  );
}

t.test('what is in a file, and what is missing in it', async (t) => {
  const what = 'saved 5 packets, 30.0 s from TIME to TIME, into x.pcapng';
  t.same(lines({}, 0n), [what]);
  t.same(lines({}, T), [what]);
  t.match(lines({ overwrittenUntilNs: T + S }, T)[1], /all packets from TIME on are there; of older ones/);
  t.same(lines({ overwrittenUntilNs: T - S }, T), [what], 'what was overwritten was not asked for');
  t.match(lines({}, T - 200n * S)[1], /switched on only at TIME: it holds less than was asked for/);
  t.match(lines({ overwritten: 2 }, T)[1], /2 segments were overwritten/);
  t.match(lines({ cutOff: 3 }, T)[1], /cut off: 3 segments/);
  t.match(lines({ damaged: 1 }, T)[1], /1 segments are damaged/);
});

t.test('packets that were not recorded are not said to be there', async (t) => {
  const said = lines({ overwrittenUntilNs: T + S }, T, undefined, [{ full: 3n, contended: 0n }, KEPT]);
  t.match(said[1], /^all packets that were recorded from TIME on are there/);
  t.match(said[2], /3 packets were not recorded: there are more queues than parts of the memory/);
  t.equal(said.length, 3);
  t.match(lines({}, 0n, undefined, [{ full: 0n, contended: 2n }])[1], /2 packets were not recorded: another thread/);
  const facts = { filePrefix: 'a', pid: 1, program: 'b', isRecording: true, bytes: 1, packets: 0n };
  const box = { path: '/b', facts: { ...facts, lanes: [{ full: 5n, contended: 0n }] } as unknown as BoxFacts };
  t.match(formatBoxes([box], [], ''), /\n\/b: 5 packets were not recorded/);
});

t.test('more queues than the memory has parts', async (t) => {
  const facts = { segments: 16, segmentBytes: 2 ** 18 };
  t.equal(tooManyLanes(16, facts), undefined);
  t.match(tooManyLanes(64, facts), /64 queues .* share 16 parts.*packets of 48 are not recorded; give it 32M/);
});

t.test('another user is named, and cannot speak to the terminal', async (t) => {
  const asked = { sinceNs: 0n, startedNs: 0n, lanes: [], otherUid: 1000 };
  t.match(savedLines(WHOLE, asked, 'x.pcapng'), [/, from a black box of user 1000, into x\.pcapng$/]);
  const facts = {
    filePrefix: 'a\x1b[2J',
    pid: 1,
    program: 'b\nc',
    isRecording: true,
    bytes: 1,
    packets: 0n,
    lanes: [],
  };
  const text = formatBoxes([{ path: '/b\x07', facts: facts as unknown as BoxFacts }], [], '');
  t.match(text, /^PREFIX[^\n]*\na\?\[2J +1 +b\?c .*\/b\?$/);
});

t.test('no packet is never the last word', async (t) => {
  t.match(lines({ packets: 0n }, 0n), ['saved 0 packets, into x.pcapng', /no packet came through its ports/]);
  t.match(lines({ packets: 0n }, T)[1], /holds no packet from TIME on/);
});

t.test('the last seconds are those before now, or before the end', async (t) => {
  const lastNs = 90_000_000_001n;
  t.equal(sinceOf({}, { isRecording: true, lastNs }, 100_000), 0);
  t.equal(sinceOf({ sinceMs: 7 }, { isRecording: true, lastNs }, 100_000), 7);
  t.equal(sinceOf({ lastMs: 30_000 }, { isRecording: true, lastNs }, 100_000), 70_000);
  t.equal(sinceOf({ lastMs: 30_000 }, { isRecording: false, lastNs }, 100_000), 60_001);
  t.equal(sinceOf({ lastMs: 300_000 }, { isRecording: true, lastNs }, 100_000), 0);
});
