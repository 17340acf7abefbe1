/** Ports that change while the agent captures them: nothing dangles, and no packets of one are taken for another's. */
import t, { type Test } from 'tap';
import { type LaneRecord, type StatsRecord, sum } from '../../src/supervisor/report/stats-record.js';
import { startWithAgent } from '../harness/agent.js';
import {
  balances,
  capture,
  isForwarding,
  requirements,
  startCapture,
  type Testpmd,
  type TestpmdOptions,
} from '../harness/index.js';

const skip = requirements({ hugepagesMb: 128 });
const AGENT = ['--via', 'agent'];
const TO_NULL = [...AGENT, '-i', 'any', '-w', '/dev/null'];

async function forwarding(t: Test, options: Partial<TestpmdOptions> = {}): Promise<Testpmd> {
  const testpmd = await startWithAgent('-d', { vdevs: ['net_null0', 'net_null1'], ...options });
  t.teardown(() => testpmd.stop());
  await testpmd.command('start');
  return testpmd;
}

async function detachPort1(testpmd: Testpmd): Promise<void> {
  await testpmd.command('stop');
  await testpmd.command('port stop 1');
  await testpmd.command('port detach 1', /detached/i);
}

/** Packets of some lanes that were written. */
function written({ ports }: StatsRecord, of: Partial<LaneRecord>): number {
  const lanes = ports.filter((lane) => Object.entries(of).every(([key, value]) => lane[key as 'port'] === value));
  return sum(lanes, 'written');
}

t.test('a port that goes away ends its lanes', { skip }, async (t) => {
  const testpmd = await forwarding(t);
  const running = await startCapture(testpmd, [...AGENT, '-i', '1', '-w', '/dev/null']).started();
  await testpmd.command('stop');
  await testpmd.command('port stop 1');
  await testpmd.command('port close 1');
  t.match(await running.ended(), { code: 1, messages: /nothing is left to capture of net_null1/ });
  t.match(await capture(testpmd, [...AGENT, '-i', '0', '-a', 'duration:1', '-w', '/dev/null']), { code: 0 });
});

t.test('a port that comes back is captured again', { skip }, async (t) => {
  const testpmd = await forwarding(t);
  const running = await startCapture(testpmd, [...AGENT, '-i', 'any', '-w', '/dev/null']).started();
  await detachPort1(testpmd);
  await running.process.expect(/net_null1 queue 0 rx is no longer captured: its port was removed/, {
    stream: 'stderr',
  });
  await testpmd.command('port attach net_null1', /Port 1 is attached/);
  await testpmd.command('port start 1');
  await running.process.expect(/net_null1 queue 0 rx is captured again: its port is back/, { stream: 'stderr' });
  const before = written(await running.next(), { port: 1 });
  await testpmd.command('start');
  while (written(await running.next(), { port: 1 }) < before + 1000);
  balances(t, await running.stop());
});

t.test('another device in its place is not captured', { skip }, async (t) => {
  const testpmd = await forwarding(t);
  const running = await startCapture(testpmd, TO_NULL).started();
  await detachPort1(testpmd);
  await running.process.expect(/net_null1 queue 0 tx is no longer captured/, { stream: 'stderr' });
  await testpmd.command('port attach net_null7', /Port 1 is attached/);
  await testpmd.command('port start 1');
  const before = await running.next();
  await testpmd.command('start');
  let now = await running.next();
  while (written(now, { port: 0 }) < written(before, { port: 0 }) + 1000) now = await running.next();
  await testpmd.forwarded(1000, 1);
  t.equal(written(await running.next(), { port: 1 }), written(before, { port: 1 }), 'nothing of net_null7');
  balances(t, await running.stop());
  t.match(await capture(testpmd, [...AGENT, '-i', 'net_null7', '-c', '100', '-w', '/dev/null']), { code: 0 });
});

/** Sets all ports up again, with so many queues. */
async function reconfigure(testpmd: Testpmd, queues: number): Promise<void> {
  await testpmd.command('stop');
  await testpmd.command('port stop all');
  for (const what of ['rxq', 'txq']) await testpmd.command(`port config all ${what} ${queues}`);
  await testpmd.command('port start all');
  await testpmd.command('start');
}

t.test('a port that is set up with fewer queues, and with as many again', { skip }, async (t) => {
  const testpmd = await forwarding(t, { args: ['--rxq=2', '--txq=2'] });
  const running = await startCapture(testpmd, TO_NULL).started();
  let now = await running.next();
  const grows = async (queue: number): Promise<void> => {
    const before = written(now, { queue });
    while (written(now, { queue }) < before + 1000) now = await running.next();
  };
  await grows(1);
  await reconfigure(testpmd, 1);
  now = await running.next();
  await grows(0);
  await reconfigure(testpmd, 2);
  now = await running.next();
  await grows(0);
  await grows(1);
  balances(t, await running.stop());
  await isForwarding(t, testpmd, 'afterwards');
});
