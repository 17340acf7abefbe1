/** Ports that come and go while probes capture them: no packets of one are taken for another's. */
import t, { type Test } from 'tap';
import { type StatsRecord, sum } from '../../src/supervisor/report/stats-record.js';
import {
  balances,
  capture,
  isForwarding,
  isThroughAgent,
  requirements,
  startCapture,
  type Testpmd,
  underLoad,
} from '../harness/index.js';
import { countProbes, lacksProbes } from '../harness/probes.js';

const skip = requirements({ hugepagesMb: 128 }) || lacksProbes() || (isThroughAgent && 'applications have the agent');
const ENDLESS = ['--via', 'ebpf', '--probe-budget', '100', '-w', '/dev/null'];

async function detachPort1(testpmd: Testpmd): Promise<void> {
  await testpmd.command('stop');
  await testpmd.command('port stop 1');
  await testpmd.command('port detach 1', /detached/i);
}

/** Packets of a port that were written. */
function written({ ports }: StatsRecord, port: number): number {
  return sum(
    ports.filter((lane) => lane.port === port),
    'written',
  );
}

t.test('without its port a capture ends', { skip }, async (t) => {
  const testpmd = await underLoad(t);
  const running = await startCapture(testpmd, [...ENDLESS, '-i', '1']).started();
  await detachPort1(testpmd);
  t.match(await running.ended(), { code: 1, messages: /nothing is left to capture of net_null1/ });
  t.equal(countProbes(testpmd.pid), 0);
});

for (const device of ['net_null1', 'net_null7']) {
  const isBack = device === 'net_null1';
  t.test(isBack ? 'a port that comes back is captured again' : 'another device is not', { skip }, async (t: Test) => {
    const testpmd = await underLoad(t);
    const running = await startCapture(testpmd, [...ENDLESS, '-i', 'any']).started();
    await detachPort1(testpmd);
    await running.process.expect(/net_null1 queue 0 rx is no longer captured/, { stream: 'stderr' });
    await testpmd.command(`port attach ${device}`, /Port 1 is attached/);
    await testpmd.command('port start 1');
    if (isBack) await running.process.expect(/net_null1 has started.* probed again/, { stream: 'stderr' });
    const before = await running.next();
    await testpmd.command('start');
    const [watched, frozen] = isBack ? [1, undefined] : [0, 1];
    let now = await running.next();
    while (written(now, watched) < written(before, watched) + 1000) now = await running.next();
    if (frozen !== undefined) {
      await testpmd.forwarded(1000, frozen);
      t.equal(written(await running.next(), frozen), written(before, frozen), `nothing of ${device}`);
    }
    balances(t, await running.stop());
    await isForwarding(t, testpmd, 'afterwards');
  });
}

t.test('the device in a removed one’s place has its own captures', { skip }, async (t) => {
  const testpmd = await underLoad(t);
  await detachPort1(testpmd);
  await testpmd.command('port attach net_null7', /Port 1 is attached/);
  await testpmd.command('port start 1');
  await testpmd.command('start');
  t.match(await capture(testpmd, [...ENDLESS, '-i', 'net_null7', '-c', '100']), { code: 0 });
});
