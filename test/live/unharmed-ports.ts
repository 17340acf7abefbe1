/** Ports and queues that go, come back, and change hands while they are captured: noticed, told, never mixed up. */
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { recordsIn } from '../harness/capture.js';
import { startCaptureIn } from '../harness/fault.js';
import {
  type Captured,
  countPackets,
  isForwarding,
  isUnharmed,
  type LiveCapture,
  remember,
  requirements,
  runDpcap,
  startTestpmd,
  type Testpmd,
} from '../harness/index.js';
import { answers } from '../harness/primary-answers.js';
import { startSecondary } from '../harness/secondary.js';

const skip = requirements({ hugepagesMb: 256 });
/** A look a second, and the time for it to be written and read. */
const NOTICED_MS = 3000;
/** The two devices that port 2 is, one after the other, told apart by the size of their packets. */
const [FIRST, FIRST_SIZE, SECOND, SECOND_SIZE] = ['net_null9', 64, 'net_null8', 100];

async function startPrimary(t: Test, args: string[] = []): Promise<Testpmd> {
  const testpmd = await startTestpmd({ vdevs: ['net_null0', 'net_null1'], args });
  t.teardown(() => testpmd.stop());
  return testpmd;
}

async function commands(testpmd: Testpmd, lines: string[]): Promise<void> {
  for (const line of lines) await testpmd.command(line);
}

/** Makes `device` port 2, which receives as fast as it can. */
async function attach(testpmd: Testpmd, device: string, size: number): Promise<void> {
  await testpmd.command(`port attach ${device},size=${size}`, /Port 2 is attached/);
  await testpmd.command('port start 2', /Done/);
  await commands(testpmd, ['set portlist 2', 'set fwd rxonly', 'start']);
}

async function detach(testpmd: Testpmd): Promise<void> {
  await commands(testpmd, ['stop', 'port stop 2']);
  await testpmd.command('port detach 2', /detached/);
}

/** Small records, for files that are filled at full load. */
function startOn(testpmd: Testpmd, ports: string[], file: string, more: string[] = []): LiveCapture {
  const options = ['-B', '16384', '-a', 'filesize:2000000', '-w', file, ...more];
  return startCaptureIn({}, testpmd, ['-s', '14', ...ports.flatMap((port) => ['-i', port]), ...options]);
}

/** Asserts that it is told on standard error within a second that `what` has gone by `act`. */
async function isNoticed(t: Test, running: LiveCapture, what: string, act: () => Promise<void>): Promise<void> {
  const from = running.process.stderr.length;
  await act();
  const noStatistics = new RegExp(`^(?!\\{"time").*${what}`, 'm');
  const told = running.process.expect(noStatistics, { from, stream: 'stderr', timeoutMs: NOTICED_MS });
  await t.resolves(told, `${what} is told within a second`);
}

/** Its end; Ctrl-C unless it has ended by itself, which it may when none of its lanes is left. */
async function endOf(running: LiveCapture): Promise<Captured> {
  running.process.signal('SIGINT');
  return running.ended();
}

/** Asserts that what may still be enabled was left and said. */
function isLeft(t: Test, captured: Captured, what: RegExp): void {
  t.match(captured, { code: 1, signal: null }, captured.messages);
  t.match(captured.messages, what, 'it says what is left');
  t.match(captured.messages, /dpcap recover/, 'and what to do about it');
}

const recover = (testpmd: Testpmd) => runDpcap(['recover', '--file-prefix', testpmd.prefix]);

t.test('a port is detached, and another takes its place after the end', { skip }, async (t) => {
  const testpmd = await startPrimary(t);
  const before = await remember(testpmd);
  await attach(testpmd, FIRST, FIRST_SIZE);
  const running = startOn(testpmd, ['2'], join(t.testdir(), 'a.pcap'));
  await running.written(1);
  await isNoticed(t, running, FIRST, () => detach(testpmd));
  isLeft(t, await endOf(running), new RegExp(FIRST));
  t.match(await recover(testpmd), { code: 1, stdout: new RegExp(FIRST) }, 'without the port it cannot be cleared');

  await attach(testpmd, SECOND, SECOND_SIZE);
  await isForwardingAlone(t, testpmd);
  await answers(t, testpmd, 'the slot is used again');
  t.match(await recover(testpmd), { code: 0, stdout: /cleared a capture/ }, 'under the new name it can');
  await isForwardingAlone(t, testpmd);
  await detach(testpmd);
  await isUnharmed(t, testpmd, before, 'recovered');
});

/** Asserts that port 2 receives. */
async function isForwardingAlone(t: Test, testpmd: Testpmd): Promise<void> {
  const received = async (): Promise<number> => (await testpmd.forwarding(2)).rxPackets;
  const before = await received();
  const deadline = performance.now() + 10_000;
  while ((await received()) < before + 1000 && performance.now() < deadline);
  t.ok((await received()) >= before + 1000, 'port 2 receives');
}

t.test('another port takes its place during the capture', { skip }, async (t) => {
  const testpmd = await startPrimary(t);
  const before = await remember(testpmd);
  await attach(testpmd, FIRST, FIRST_SIZE);
  const file = join(t.testdir(), 'a.pcap');
  const running = startOn(testpmd, ['2'], file);
  await running.written(1);
  await isNoticed(t, running, FIRST, async () => {
    await detach(testpmd);
    await attach(testpmd, SECOND, SECOND_SIZE);
  });
  const captured = await endOf(running);
  t.equal(captured.code, 1, captured.messages);
  t.match(captured.messages, new RegExp(FIRST));
  const foreign = countPackets(file, `greater ${SECOND_SIZE}`);
  t.equal(foreign, 0, `no packet of ${SECOND} is recorded as one of ${FIRST}`);
  await answers(t, testpmd, 'another port in its slot');
  t.match(await recover(testpmd), { code: 0 });
  await isForwardingAlone(t, testpmd);
  await detach(testpmd);
  await isUnharmed(t, testpmd, before, 'recovered');
});

t.test('one of two captured ports goes: the other goes on', { skip }, async (t) => {
  const testpmd = await startPrimary(t);
  const before = await remember(testpmd);
  await testpmd.command(`port attach ${FIRST},size=${FIRST_SIZE}`, /Port 2 is attached/);
  await commands(testpmd, ['port start 2', 'start']);
  const running = startOn(testpmd, ['0', '2'], '/dev/null');
  await running.written(1);
  await isNoticed(t, running, FIRST, () => detach(testpmd));
  await testpmd.command('start');
  const packets = recordsIn(running.process.stderr).at(-1)?.packets ?? 0;
  await t.resolves(running.written(packets + 100_000), 'the other lane goes on');
  isLeft(t, await endOf(running), new RegExp(FIRST));
  await testpmd.command(`port attach ${FIRST},size=${FIRST_SIZE}`, /Port 2 is attached/);
  t.match(await recover(testpmd), { code: 0, stdout: /cleared a capture/ }, 'when the port is back it is cleared');
  await testpmd.command('port detach 2', /detached/);
  await isForwarding(t, testpmd, 'recovered');
  await isUnharmed(t, testpmd, before, 'recovered');
});

t.test('a port that is detached and comes back', { skip }, async (t) => {
  const testpmd = await startPrimary(t);
  const before = await remember(testpmd);
  await attach(testpmd, FIRST, FIRST_SIZE);
  const running = startOn(testpmd, ['2'], join(t.testdir(), 'a.pcap'));
  await running.written(1);
  await detach(testpmd);
  await attach(testpmd, FIRST, FIRST_SIZE);
  const captured = await endOf(running);
  t.ok(captured.code === 0 || /dpcap recover/.test(captured.messages), `cleared or said: ${captured.messages}`);
  await answers(t, testpmd, 'the port is back');
  t.match(await recover(testpmd), { code: 0 });
  await isForwardingAlone(t, testpmd);
  await detach(testpmd);
  await isUnharmed(t, testpmd, before, 'the port is back');
});

/** Gives both ports so many queues each way. */
async function setQueues(testpmd: Testpmd, queues: number): Promise<void> {
  await commands(testpmd, ['stop', 'port stop all']);
  await commands(testpmd, [`port config all rxq ${queues}`, `port config all txq ${queues}`]);
  await testpmd.command('port start all', /Done/);
  await testpmd.command('start');
}

t.test('a captured queue goes, and comes back after the end', { skip }, async (t) => {
  const testpmd = await startPrimary(t, ['--rxq=2', '--txq=2']);
  await testpmd.command('start');
  const before = await remember(testpmd);
  const running = startOn(testpmd, ['0'], join(t.testdir(), 'a.pcap'));
  await running.written(1);
  await isNoticed(t, running, 'queue 1', () => setQueues(testpmd, 1));
  isLeft(t, await endOf(running), /queue 1/);
  t.match(await recover(testpmd), { code: 1, stdout: /queue 1/ }, 'without the queue it cannot be cleared');
  await setQueues(testpmd, 2);
  await isForwarding(t, testpmd, 'the queue is back');
  await answers(t, testpmd, 'the queue is back');
  t.match(await recover(testpmd), { code: 0, stdout: /cleared a capture/ }, 'with it it can');
  await isForwarding(t, testpmd, 'recovered');
  await isUnharmed(t, testpmd, before, 'recovered');
});

t.test('another tool takes a captured queue over', { skip }, async (t) => {
  const testpmd = await startPrimary(t);
  const other = await startSecondary(t, testpmd, ['pdump']);
  await testpmd.command('start');
  // It polls no queue (25.11 would have it copy packets as well).
  const running = startOn(testpmd, ['0'], '/dev/null', ['--trust-mempools']);
  await running.written(1);
  await isNoticed(t, running, 'net_null0 queue 0 rx', () => other.take(0));
  const captured = await endOf(running);
  const { rxPackets } = await testpmd.forwarding(0);
  for (const lane of captured.final?.ports ?? []) {
    t.ok(lane.accepted >= 0 && lane.accepted <= rxPackets, `no more is accepted than there was: ${lane.accepted}`);
    t.equal(lane.accepted, lane.written + lane.ringfull + lane.sinkdrop + lane.surplus, 'and it is accounted for');
  }
  t.ok(await other.release(0), "the other tool's callback is still there");
  t.match(await recover(testpmd), { code: 0 });
  await answers(t, testpmd, 'taken over');
  await isForwarding(t, testpmd, 'taken over');
});
