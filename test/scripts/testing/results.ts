import t from 'tap';
import { peerTables, releaseTable, runAgain, runResults } from '../../../scripts/testing/results.js';

const FILE = { passed: 3, failures: [], skips: [], durationMs: 1, output: '', pid: 1 };
const PLACE = { dpdk: '24.11.8', system: 'Debian 13', node: '20.19.2' };

t.test('a run keeps the names of what failed, in the order of its files', async (t) => {
  const failures = [{ name: 'exact > sum' }];
  const skips = [{ name: 'x', reason: 'no veth' }];
  t.same(
    runResults(PLACE, [
      { ...FILE, file: 'b', failures, skips },
      { ...FILE, file: 'a' },
    ]),
    {
      ...PLACE,
      tests: [
        { file: 'a', passed: 3, failed: [], skipped: 0 },
        { file: 'b', passed: 3, failed: ['exact > sum'], skipped: 1 },
      ],
    },
  );
});

t.test('what ran again takes the place of what it had found before', async (t) => {
  const before = runResults(PLACE, [
    { ...FILE, file: 'a', failures: [{ name: 'x' }] },
    { ...FILE, file: 'b', passed: 7 },
  ]);
  const again = runResults(PLACE, [{ ...FILE, file: 'a' }]);
  t.same(runAgain(before, again).tests, [again.tests[0], before.tests[1]]);
  const elsewhere = { ...again, dpdk: '25.11.4' };
  t.same(runAgain(before, elsewhere), elsewhere, 'of another release nothing stays');
});

t.test('a column for each run, a row for each test that one of them ran', async (t) => {
  const one = runResults(PLACE, [
    { ...FILE, file: 'a' },
    { ...FILE, file: 'b', passed: 0, skips: [] },
  ]);
  const skips = [{ name: 'x', reason: 'no veth' }];
  const other = runResults({ ...PLACE, dpdk: '25.11.4', system: 'sid' }, [
    { ...FILE, file: 'a', failures: [{ name: 'exact > sum' }], skips },
  ]);
  t.equal(
    releaseTable([one, other]),
    [
      '| test | DPDK 24.11.8, Debian 13 | DPDK 25.11.4, sid |',
      '| --- | --- | --- |',
      '| `a` | 3 passed | 3 passed, **1 failed**, 1 skipped |',
      '| `b` | skipped | not run |',
      '',
      'What failed:',
      '',
      '* DPDK 25.11.4, `a`: exact > sum',
    ].join('\n'),
  );
  t.notMatch(releaseTable([one]), /What failed/);
});

t.test('a table for each release, a column for each tool', async (t) => {
  const cases = [{ name: '`-c 1000`', found: ['1000 packets', '1024 packets'] }];
  t.equal(
    peerTables([{ ...PLACE, tools: ['dpcap', 'dpdk-dumpcap'], cases }]),
    [
      'DPDK 24.11.8, Debian 13:',
      '',
      '| case | dpcap | dpdk-dumpcap |',
      '| --- | --- | --- |',
      '| `-c 1000` | 1000 packets | 1024 packets |',
    ].join('\n'),
  );
});
