import t from 'tap';
import type { LaneStats } from '../../src/binding.js';
import { finalRecord, type RecordContext, statsRecord, whyEmpty } from '../../src/capture/stats-record.js';
import { lane } from './helpers/lane.js';

const CONTEXT: RecordContext = {
  filePrefix: 'rte',
  lanes: [{ device: 'net_null0', port: 0, queue: 0, direction: 'rx', interface: 0 }],
  startedAtMs: 1000,
  filtering: true,
};

const stats = (...lanes: LaneStats[]) => ({ lanes, fileBytes: 0n, mbufs: 1023, mbufsFree: 1023 });

t.test('a record sums its lanes', async (t) => {
  const two = stats(
    lane({ written: 3n, bytes: 300n, accepted: 4n }),
    lane({ direction: 'tx', written: 2n, bytes: 200n }),
  );
  t.match(statsRecord(CONTEXT, two, 3500, ['a.pcap']), {
    time: '1970-01-01T00:00:03.500Z',
    elapsed_s: 2.5,
    file_prefix: 'rte',
    packets: 5,
    bytes: 500,
    files: ['a.pcap'],
    ports: [{ name: 'net_null0', direction: 'rx', accepted: 4, written: 3 }, { direction: 'tx' }],
  });
});

t.test('the final record says how and, when empty, why', async (t) => {
  const full = finalRecord(CONTEXT, stats(lane({ written: 1n })), 2000, 'a.pcap', 'packets');
  t.match(full, { final: true, stop_reason: 'packets', files: ['a.pcap'] });
  t.notOk('why_empty' in full);
  t.match(finalRecord(CONTEXT, stats(lane()), 2000, undefined, 'signal'), { files: [], why_empty: /no packet passed/ });
});

t.test('reasons for nothing', async (t) => {
  const why = (change: Partial<LaneStats>, filtering = true): string =>
    whyEmpty(statsRecord(CONTEXT, stats(lane(change)), 2000, []).ports, filtering);
  t.match(why({ filtered: 7n }), /the filter matched none of the 7 packets/);
  t.match(why({ nombuf: 7n, filtered: 1n }), /7 packets matched, but no mbuf was free/);
  t.match(why({ sinkdrop: 1n }), /the output took none of the 1 packets/);
  t.match(why({}, false), /no packet passed net_null0 queue 0 rx: .* does not poll/s);
});
