/** What a capture takes leaves the primary its share, and is what `-B` says, however many queues there are. */
import t from 'tap';
import { startCaptureIn } from '../harness/fault.js';
import { balances, isUnharmed, remember, requirements, startTestpmd } from '../harness/index.js';
import { startMallocPrimary } from '../harness/malloc-primary.js';

const skip = requirements({ hugepagesMb: 512 });
const SOCKET_LIMIT_MB = 200;
const OF_THE_PRIMARY_MB = 64;

t.test('a primary with a limit on its memory still gets its own', { skip }, async (t) => {
  const primary = await startMallocPrimary(['net_null0'], ['--socket-limit', String(SOCKET_LIMIT_MB)]);
  t.teardown(() => primary.stop());
  await primary.forward('on');
  const running = startCaptureIn({}, primary, ['-i', '0', '-w', '/dev/null']);
  await running.started();
  await running.written(1_000_000);
  t.ok(await primary.hasRoomFor(OF_THE_PRIMARY_MB), 'beside a capture of the default size');
  t.match(
    running.process.stderr,
    /--socket-limit/,
    'the start line says why there is less room for copies than wished',
  );
  const captured = await running.stop();
  balances(t, captured);
  t.ok(await primary.hasRoomFor(OF_THE_PRIMARY_MB), 'and after it');
});

const QUEUES = 64;
const LANES = 2 * 2 * QUEUES;
/** KiB, as for -B. */
const BUFFER_KB = 65_536;

t.test(`${LANES} lanes share what -B allows`, { skip }, async (t) => {
  const args = [`--rxq=${QUEUES}`, `--txq=${QUEUES}`];
  const testpmd = await startTestpmd({ vdevs: ['net_null0', 'net_null1'], args, memoryMb: 128, mbufs: 40_000 });
  t.teardown(() => testpmd.stop());
  const before = await remember(testpmd);
  await testpmd.command('start');
  const running = startCaptureIn({}, testpmd, ['-i', 'any', '-s', '64', '-B', String(BUFFER_KB), '-w', '/dev/null']);
  await running.started();
  await running.written(1_000_000);
  const takenMb = (await testpmd.heapMb()) - before.heapMb;
  t.ok(takenMb <= BUFFER_KB / 1024, `${takenMb} MB are taken`);
  const captured = await running.stop();
  balances(t, captured);
  t.equal(captured.final?.ports.length, LANES);
  await isUnharmed(t, testpmd, before, `after ${LANES} lanes`, LANES);
});
