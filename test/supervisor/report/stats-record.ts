import t from 'tap';
import type { LaneStats } from '../../../src/native/capture-binding.js';
import {
  finalRecord,
  type RecordContext,
  statsRecord,
  stopwatch,
  whyEmpty,
} from '../../../src/supervisor/report/stats-record.js';
import { lane } from '../../engine/helpers/lane.js';

const CONTEXT: RecordContext = {
  filePrefix: 'rte',
  lanes: [{ device: 'net_null0', port: 0, queue: 0, direction: 'rx', interface: 0 }],
  filtering: true,
};

const stats = (...lanes: LaneStats[]) => ({
  lanes,
  fileBytes: 0n,
  clockSteps: 0,
  clockSetNs: 0n,
  mbufs: 1023,
  mbufsFree: 1023,
  pollNs: 0,
});
const at = { time: new Date(3500), elapsedMs: 2500 };

t.test('a record sums its lanes', async (t) => {
  const two = stats(
    lane({ written: 3n, bytes: 300n, accepted: 4n }),
    lane({ direction: 'tx', written: 2n, bytes: 200n }),
  );
  t.match(statsRecord(CONTEXT, two, at, ['a.pcap']), {
    time: '1970-01-01T00:00:03.500Z',
    elapsed_s: 2.5,
    file_prefix: 'rte',
    packets: 5,
    bytes: 500,
    files: ['a.pcap'],
    ports: [{ name: 'net_null0', direction: 'rx', accepted: 4, written: 3 }, { direction: 'tx' }],
  });
});

t.test('a clock that is set changes no duration, and is told', async (t) => {
  const real = Date.now;
  t.teardown(() => {
    Date.now = real;
  });
  const now = stopwatch();
  Date.now = () => real() - 86_400_000;
  const { elapsedMs } = now();
  t.ok(elapsedMs >= 0 && elapsedMs < 60_000, `${elapsedMs} ms`);
  const set = statsRecord(CONTEXT, { ...stats(lane()), clockSteps: 2, clockSetNs: -3_500_000_000n }, at, []);
  t.match(set, { elapsed_s: 2.5, clock_steps: 2, clock_set_s: -3.5 });
  t.notOk('clock_steps' in statsRecord(CONTEXT, stats(lane()), at, []));
});

t.test('what probes cost is told where there are any', async (t) => {
  t.match(statsRecord(CONTEXT, { ...stats(lane()), pollNs: 3000 }, at, []), { poll_ns: 3000 });
  t.notOk('poll_ns' in statsRecord(CONTEXT, stats(lane()), at, []));
});

t.test('the final record says how and, when empty, why', async (t) => {
  const full = finalRecord(CONTEXT, stats(lane({ written: 1n })), at, ['a.pcap'], 'packets');
  t.match(full, { final: true, stop_reason: 'packets', files: ['a.pcap'] });
  t.notOk('why_empty' in full);
  t.match(finalRecord(CONTEXT, stats(lane()), at, [], 'signal'), { files: [], why_empty: /no packet passed/ });
});

t.test('of files that follow one another, the number is told, and the last names', async (t) => {
  const record = statsRecord(CONTEXT, stats(lane()), at, { count: 12, last: ['a11.pcap', 'a12.pcap'] });
  t.match(record, { files: ['a11.pcap', 'a12.pcap'], file_count: 12 });
  t.notOk('file_count' in statsRecord(CONTEXT, stats(lane()), at, ['a.pcap']));
});

t.test('reasons for nothing', async (t) => {
  const why = (change: Partial<LaneStats>, filtering = true): string =>
    whyEmpty(statsRecord(CONTEXT, stats(lane(change)), at, []).ports, { filtering });
  const ofFile = { filtering: false, input: 'x.pcap' };
  t.match(whyEmpty(statsRecord(CONTEXT, stats(lane()), at, []).ports, ofFile), /^x.pcap has no packets/);
  t.match(why({ filtered: 7n }), /the filter matched none of the 7 packets/);
  t.match(why({ nombuf: 7n, filtered: 1n }), /7 packets matched, but no mbuf was free for their copies, or/);
  t.match(why({ sinkdrop: 1n }), /the output took none of the 1 packets/);
  t.match(why({}, false), /no packet passed net_null0 queue 0 rx: .* does not poll/s);
});
