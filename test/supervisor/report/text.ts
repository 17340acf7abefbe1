import t from 'tap';
import { leftBehindError } from '../../../src/engine/capture-end.js';
import { BLIND } from '../../../src/protocol/messages.js';
import { finishFacts, planFor } from '../../../src/supervisor/capture.js';
import { createReporter } from '../../../src/supervisor/report/create-reporter.js';
import type { StatsRecord } from '../../../src/supervisor/report/stats-record.js';
import { bytes, clockLine, startLine, statusLine, summary } from '../../../src/supervisor/report/text.js';
import { PLAN } from '../../engine/helpers/plan.js';

const LANE = {
  port: 0,
  name: 'net_null0',
  queue: 0,
  direction: 'rx',
  accepted: 10,
  filtered: 4,
  nombuf: 3,
  contended: 0,
  unread: 0,
  ringfull: 0,
  written: 9,
  sinkdrop: 0,
  surplus: 1,
} as const;
const RECORD: StatsRecord = {
  time: 'T',
  elapsed_s: 2,
  file_prefix: 'rte',
  ports: [LANE],
  packets: 9,
  bytes: 1234,
  files: ['a.pcap'],
  mbufs: 65535,
};
const START = {
  ports: [{ id: 0, name: 'net_null0' }],
  lanes: [{ queue: 0, direction: 'rx' as const }],
  primary: 'dpdk-testpmd, pid 1',
  expression: 'tcp',
  instructions: 9,
  snaplen: 262144,
  output: 'a.pcap (pcap)',
};

function recorder(isTTY = false) {
  const texts: string[] = [];
  return { texts, stream: { write: (text: string) => texts.push(text), isTTY, columns: 60 } };
}

t.test('lines', async (t) => {
  t.match(
    startLine(START),
    /capturing on 0 \(net_null0\), rx, of dpdk-testpmd, pid 1; filter "tcp" \(9 instructions\)/,
  );
  t.match(startLine({ ...START, reading: 'VLAN tags skipped' }), /\(9 instructions; VLAN tags skipped\)/);
  t.match(startLine({ ...START, expression: '' }), /no filter/);
  const rules = [
    { port: '0', expression: 'tcp', snaplen: 96 },
    { port: '1', expression: '', snaplen: 262144 },
  ];
  t.match(
    startLine({ ...START, rules }),
    /; port 0: filter "tcp", snaplen 96; port 1: no filter, snaplen 262144, to a/,
  );
  t.match(
    statusLine(RECORD, { packets: 0, bytes: 0, elapsed: 1 }),
    /^9 packets, 1.2 kB; 9 p\/s, 1.2 kB\/s; lost: nombuf 3/,
  );
  t.same([0, 999, 1000, 2.5e6, 3e9].map(bytes), ['0 B', '999 B', '1.0 kB', '2.5 MB', '3.0 GB']);
});

t.test('the summary accounts for every packet, losses shown even when zero', async (t) => {
  const lines = summary(RECORD, { reason: 'signal', leftBehind: [] }).join('\n');
  t.match(lines, /9 packets captured to a.pcap in 2.0 s, 1.2 kB \(ended: signal\)/);
  t.match(lines, /3 packets lost \(nombuf 3, ringfull 0, sinkdrop 0\)/);
  t.match(lines, /accepted 10 = written 9 \+ ringfull 0 \+ sinkdrop 0 \+ surplus 1; nombuf 3, filtered 4/);
  const contended = summary({ ...RECORD, ports: [{ ...LANE, contended: 2 }] }, { reason: 'signal', leftBehind: [] });
  t.match(contended.join('\n'), /5 packets lost \(nombuf 3, ringfull 0, sinkdrop 0, contended 2\)/);
  t.match(contended.join('\n'), /nombuf 3, filtered 4, contended 2$/m);
  t.match(summary({ ...RECORD, why_empty: 'because' }, { reason: 'signal', leftBehind: [] }).at(-1), /because/);
  t.match(
    summary(RECORD, { reason: 'signal', leftBehind: ['x'] }).join('\n'),
    /left in the primary.*x\n.*dpcap recover/,
  );
});

t.test('what was left behind is told once', async (t) => {
  const record = (error: 'ERR_DISABLE_FAILED' | 'ERR_SINK_WRITE') => ({ error, message: '', exitCode: 1 });
  const told = (error?: ReturnType<typeof record>) =>
    summary(RECORD, finishFacts({ reason: 'signal', leftBehind: ['x'], error })).join('\n');
  t.match(told(), /left in the primary.*x\n/);
  t.notMatch(told(record('ERR_SINK_WRITE')), /left in the primary/, 'the error says it');
  const plan = { filePrefix: 'rte' };
  t.match(leftBehindError(plan, ['x'], undefined), { error: 'ERR_DISABLE_FAILED', message: /left in the primary.*x$/ });
  const both = leftBehindError(plan, ['x'], { ...record('ERR_SINK_WRITE'), hint: 'make room' });
  t.match(both, { error: 'ERR_SINK_WRITE', hint: /make room[\s\S]*left in the primary.*x[\s\S]*dpcap recover/ });
  t.match(leftBehindError(plan, [BLIND], undefined), { hint: /on the host/ });
});

t.test('a system clock that was set is told once for each time', async (t) => {
  t.match(clockLine(1, -86_400), /was set back by 86400.000 s; timestamps follow it/);
  t.match(clockLine(2, 0.5), /was set 2 times since the capture began, forward by 0.500 s in all/);
  const set = { ...RECORD, clock_steps: 1, clock_set_s: -60 };
  for (const isTTY of [true, false]) {
    const { texts, stream } = recorder(isTTY);
    const reporter = await createReporter('text', false, stream);
    reporter.progress(RECORD);
    reporter.progress(set);
    reporter.progress(set);
    reporter.finished(set, { reason: 'signal', leftBehind: [] });
    t.equal(texts.filter((text) => text.includes('the system clock')).length, 1, `terminal: ${isTTY}`);
  }
});

t.test('a status line only on a terminal that wants it', async (t) => {
  for (const [isTTY, quiet, shown] of [
    [true, false, true],
    [true, true, false],
    [false, false, false],
  ] as const) {
    const { texts, stream } = recorder(isTTY);
    const reporter = await createReporter('text', quiet, stream);
    t.equal(reporter.wantsProgress, shown, `terminal ${isTTY}, quiet ${quiet}`);
    reporter.progress(RECORD);
    t.equal(texts.length > 0, shown);
    t.ok(
      texts.every((text) => text.length <= 60),
      'never wider than the terminal',
    );
  }
});

t.test('the engine sends statistics only where they are seen', async (t) => {
  const interval = async (style: 'text' | 'ndjson' | 'none', isTTY: boolean): Promise<number> =>
    planFor(await createReporter(style, false, recorder(isTTY).stream), PLAN).statsIntervalMs;
  t.equal(await interval('text', true), PLAN.statsIntervalMs);
  t.equal(await interval('ndjson', false), PLAN.statsIntervalMs);
  t.equal(await interval('text', false), 0);
  t.equal(await interval('none', true), 0);
});

t.test('ndjson: one object a line', async (t) => {
  const { texts, stream } = recorder();
  const reporter = await createReporter('ndjson', false, stream);
  reporter.started(START);
  reporter.progress(RECORD);
  reporter.finished({ ...RECORD, final: true }, { reason: 'signal', leftBehind: [] });
  t.same(
    texts
      .join('')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).final ?? false),
    [false, true],
  );
});

t.test('none: silence', async (t) => {
  const { texts, stream } = recorder(true);
  const reporter = await createReporter('none', false, stream);
  reporter.started(START);
  reporter.finished(RECORD, { reason: 'signal', leftBehind: [] });
  t.same(texts, []);
});

t.test('whoever asks for figures gets them, also where no statistics are wanted', async (t) => {
  const { stream, texts } = recorder();
  const reporter = await createReporter('none', false, stream);
  reporter.progress(RECORD);
  reporter.asked(RECORD);
  t.same(texts.length, 1);
  t.match(texts[0], /^dpcap: 9 packets captured in 2\.0 s/);
});
