/** Where packets were lost, a pcapng file says how many, in the first record behind the place. */
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { StatsRecord } from '../../src/supervisor/report/stats-record.js';
import { startWithAgent } from '../harness/agent.js';
import {
  balances,
  isThroughAgent,
  requirements,
  run,
  startPipeline,
  startTestpmd,
  type Testpmd,
  tsharkFields,
} from '../harness/index.js';
import { lacksProbes } from '../harness/probes.js';
import { closingStatistics } from '../helpers/pcapng-statistics.js';

const skip = requirements({ hugepagesMb: 256, tools: ['mkfifo'] });
/** More than the output, the pipe and the copies' memory hold together, and how many packets a burst has. */
const [BURSTS, BURST] = [1500, 32];
const PORT = { vdevs: ['net_null0,no-rx=1'] };

const lost = ({ ports }: StatsRecord): number =>
  ports.reduce((sum, { nombuf, ringfull, contended, unread }) => sum + nombuf + ringfull + contended + unread, 0);
const isWritten = ({ ports }: StatsRecord): boolean =>
  ports.every(({ accepted, ringfull, written }) => accepted === written + ringfull);

/** Has the application send, and nothing else. */
async function send(testpmd: Testpmd, bursts: number): Promise<void> {
  await testpmd.command(`start tx_first ${bursts}`);
  await testpmd.command('stop');
}

/** A reader takes nothing until so much has come that packets are lost, and later a few come that are not. */
async function isMarked(t: Test, testpmd: Testpmd, words: string[]): Promise<void> {
  await testpmd.command('set fwd rxonly');
  await testpmd.command('set txpkts 1400');
  const [go = '', file = ''] = ['go', 'x.pcapng'].map((name) => join(t.testdir(), name));
  run('mkfifo', [go]);
  const args = [...words, '-i', '0', '-Q', 'tx', '-B', '2048', '-F', 'pcapng', '-w', '-'];
  const running = startPipeline(testpmd, args, `read _ < ${go}; exec cat > ${file}`);
  await running.started();
  await send(testpmd, BURSTS);
  await appendFile(go, '\n');
  let record = await running.next();
  while (record.packets === 0 || !isWritten(record)) record = await running.next();
  await send(testpmd, 1);
  await running.written(record.packets + BURST);
  await running.signal('SIGINT');
  const captured = await running.finished();
  await running.shell.wait();
  balances(t, captured);

  const drops = tsharkFields(file, ['frame.drop_count']).map(([count]) => Number(count));
  const marked = drops.reduce((sum, count) => sum + count, 0);
  const counted = captured.final ? lost(captured.final) : 0;
  t.ok(counted > 0, `${counted} packets were lost`);
  t.equal(marked, counted, 'as many as were counted are told of');
  t.equal(closingStatistics(file)[0]?.dropped, counted);
  t.equal(captured.final?.packets, drops.length);
  t.equal(counted + drops.length, (BURSTS + 1) * BURST);
  t.equal(
    drops.findLastIndex((count) => count > 0),
    drops.length - BURST,
    'the last gap is where it was',
  );
}

t.test('through pdump', { skip: skip || (isThroughAgent && 'applications have the agent') }, async (t) => {
  const testpmd = await startTestpmd(PORT);
  t.teardown(() => testpmd.stop());
  await isMarked(t, testpmd, ['--via', 'pdump']);
});

t.test('through the agent', { skip }, async (t) => {
  const testpmd = await startWithAgent('-d', PORT);
  t.teardown(() => testpmd.stop());
  await isMarked(t, testpmd, ['--via', 'agent']);
});

t.test('by probes', { skip: skip || lacksProbes() || isThroughAgent }, async (t) => {
  const testpmd = await startTestpmd(PORT);
  t.teardown(() => testpmd.stop());
  await isMarked(t, testpmd, ['--via', 'ebpf']);
});
