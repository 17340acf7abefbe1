/** Again and again: joining a primary always works, and captures at full load wear nothing out. */
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import t from 'tap';
import { runRecovery } from '../../src/supervisor/recovery-run.js';
import {
  balances,
  isForwarding,
  isUnharmed,
  remember,
  requirements,
  startCapture,
  startTestpmd,
  underLoad,
} from '../harness/index.js';
import { installedDpdk } from '../helpers/native.js';

const skip = requirements({ hugepagesMb: 256 });
/** The long form is a script of its own: npm run test:long. The short one is for the essential tests of other releases. */
const { DPCAP_LONG, DPCAP_SHORT } = process.env;
const [ATTACHES, CYCLES] = DPCAP_LONG === '1' ? [200, 50] : DPCAP_SHORT === '1' ? [8, 4] : [30, 12];

/** Counts the engine processes that were started: more than one a job means that an attach failed and was repeated. */
class EngineCount extends Writable {
  started = 0;

  override _write(line: Buffer, _encoding: string, done: () => void): void {
    if (line.includes('engine started')) this.started++;
    done();
  }
}

t.test(`${ATTACHES} attaches in a row`, { skip }, async (t) => {
  const testpmd = await startTestpmd({ vdevs: ['net_null0', 'net_null1'] });
  t.teardown(() => testpmd.stop());
  const before = await remember(testpmd);
  const engines = new EngineCount();
  const log = pino({ level: 'debug' }, engines);
  // The shortest job of an engine: it joins the primary, looks for what dead captures left, and leaves.
  const runtimeDir = `/var/run/dpdk/${testpmd.prefix}`;
  const target = { filePrefix: testpmd.prefix, runtimeDir, primaryPid: testpmd.pid, dpdk: installedDpdk() };
  for (let attach = 1; attach <= ATTACHES; attach++) {
    const report = await runRecovery(target, log);
    if (report.cleared.length + report.inDoubt.length + report.running.length > 0) t.fail(JSON.stringify(report));
  }
  t.equal(engines.started, ATTACHES, 'none had to be repeated');
  await isUnharmed(t, testpmd, before, `after ${ATTACHES} attaches`);
});

/** What each cycle asks for, in turn: both ways of copying, with and without a filter, one lane and four, one thread and two. */
const KINDS: string[][] = [
  ['-i', '0', '-Q', 'rx'],
  ['-i', 'any', '-j', 'host'],
  ['-i', '0', '-F', 'pcapng', 'len', '>=', '64', 'and', 'not', 'tcp'],
  ['-i', '1', '-Q', 'tx', '-s', '60', '-j', 'host', 'ether[0]', '=', '0'],
  ['-i', 'any', 'tcp', 'port', '80'],
  ['-i', 'any', '--threads', '2'],
];

t.test(`${CYCLES} captures at full load`, { skip }, async (t) => {
  const testpmd = await underLoad(t);
  const before = await remember(testpmd);
  const file = join(t.testdir(), 'x');
  for (let cycle = 0; cycle < CYCLES; cycle++) {
    const kind = KINDS[cycle % KINDS.length] as string[];
    const running = startCapture(testpmd, ['-a', 'duration:5', '-w', file, ...kind]);
    await running.started();
    balances(t, await running.stop());
    if (cycle % 6 === 5) await isForwarding(t, testpmd, `after ${cycle + 1} captures`);
  }
  await isUnharmed(t, testpmd, before, `after ${CYCLES} captures`);
});
