import t from 'tap';
import { failureText, fileLine, skipText, summaryLine } from '../../../scripts/testing/report.js';
import type { FileResult } from '../../../scripts/testing/tap-file.js';

const GOOD: FileResult = {
  file: 'test/a.ts',
  passed: 3,
  failures: [],
  skips: [{ name: 'live', reason: 'not root' }],
  durationMs: 1234,
  output: '',
  pid: 1,
};
const BAD: FileResult = {
  ...GOOD,
  file: 'test/b.ts',
  failures: [{ name: 'sum', diag: { diff: '-1\n+2\n', at: { fileName: 'b.ts', lineNumber: 3 }, compare: '===' } }],
  output: Array.from({ length: 100 }, (_, line) => `line ${line}`).join('\n'),
};

t.test('one line a file', async (t) => {
  t.match(fileLine(GOOD), /^ok {3}test\/a\.ts +3 passed, 1 skipped \(1\.2 s\)$/);
  t.match(fileLine(BAD), /^FAIL test\/b\.ts +3 passed, 1 failed, 1 skipped/);
  t.match(fileLine({ ...GOOD, passed: 0 }), /^skip/);
});

t.test('failures with name, place, diff and the end of the output', async (t) => {
  t.equal(failureText(GOOD), '');
  const text = failureText(BAD);
  t.match(text, 'not ok: sum\n    at b.ts:3\n    diff:\n      -1\n      +2\n');
  t.match(text, 'output (last 60 lines):\n    line 40\n');
  t.match(text, /line 99$/);
  t.notMatch(text, 'compare');
});

t.test('skips are grouped by reason', async (t) => {
  t.equal(skipText([]), '');
  t.equal(skipText([GOOD, BAD]), 'skipped: not root\n  test/a.ts: live\n  test/b.ts: live');
});

t.test('the last line', async (t) => {
  t.equal(summaryLine([GOOD, BAD]), '6 passed, 1 failed, 2 skipped');
});
