/** Captures beside another secondary that is stopped: it is named, and no request whose outcome is unknown is repeated. */
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { endOf, isClearedAfter, isRefused, smallPrimary, startShort } from '../harness/beside.js';
import { faultAt, startCaptureIn } from '../harness/fault.js';
import { childrenOf, enginePid, forward2kni, isUnharmed, remember, requirements } from '../harness/index.js';
import { recordReserved } from '../harness/joined.js';
import { answers } from '../harness/primary-answers.js';
import { joinAsSecondary, startSecondary } from '../harness/secondary.js';
import { continueProcess, stopProcess } from '../harness/stopped.js';

const skip = requirements({ hugepagesMb: 512 });
/** Two of EAL's waits for an answer: whoever asked and asked again has done its harm by then. */
const HARM_MS = 11_000;

t.test('a stopped secondary is named before anything is asked for', { skip }, async (t) => {
  const testpmd = await smallPrimary(t);
  const secondary = await startSecondary(t, testpmd, ['pdump']);
  const before = await remember(testpmd);
  await secondary.stop();
  await isRefused(t, startShort(testpmd), secondary.pid, 'dpdk-secondary');
  await isUnharmed(t, testpmd, before, 'while it is stopped');
  const json = await forward2kni(testpmd, '0', 'on', ['--json']);
  t.match(json, { code: 1, stderr: /"ERR_SECONDARY_STOPPED"/ });
  secondary.continue();
  await answers(t, testpmd, 'continued');
  // From 25.11 on it would copy packets, if it polled a queue, and it numbers the handlers of mempools otherwise.
  const beside = startCaptureIn({}, testpmd, ['-i', '0', '-c', '1000', '--trust-mempools', '-w', '/dev/null']);
  t.match(await beside.ended(), { code: 0 }, 'and then it works');
  await isUnharmed(t, testpmd, before, 'after a capture beside it');
});

t.test('one in a container is found, and named by its pid here', { skip }, async (t) => {
  const testpmd = await smallPrimary(t);
  const namespace = await joinAsSecondary(testpmd, [], ['unshare', '--pid', '--fork', '--kill-child']);
  t.teardown(() => namespace.close());
  const before = await remember(testpmd);
  const [contained = 0] = childrenOf(namespace.pid);
  await stopProcess(contained);
  await isRefused(t, startShort(testpmd), contained, 'dpdk-secondary');
  continueProcess(contained);
  await answers(t, testpmd, 'continued');
  t.match(await startShort(testpmd).ended(), { code: 0 }, 'and then it works');
  await isUnharmed(t, testpmd, before, 'after a capture beside it');
});

t.test('a secondary that stops while memory is asked for', { skip }, async (t) => {
  const testpmd = await smallPrimary(t);
  const secondary = await startSecondary(t, testpmd);
  const before = await remember(testpmd);
  const running = startShort(testpmd, faultAt('record.reserved', 'sleep:3000'));
  await recordReserved(testpmd);
  await secondary.stop();
  const captured = await endOf(running);
  secondary.continue();
  t.equal(captured.code, 1, 'the capture did not start');
  await isClearedAfter(t, testpmd, captured, 'stopped in mid-start');
  await isUnharmed(t, testpmd, before, 'stopped in mid-start');
});

t.test('a secondary that stops before a mempool grows', { skip }, async (t) => {
  const testpmd = await smallPrimary(t);
  const secondary = await startSecondary(t, testpmd);
  const before = await remember(testpmd);
  const running = startCaptureIn({}, testpmd, ['-i', '0', '-Q', 'rx', '-s', '1000', '-w', '/dev/null']);
  await running.started();
  await secondary.stop();
  const engine = enginePid(running.pid);
  await stopProcess(engine);
  const { rxPackets } = await testpmd.forwarding();
  await testpmd.forwarded(rxPackets + 1_000_000); // until no mbuf is left
  continueProcess(engine);
  await Promise.race([testpmd.exited, delay(HARM_MS)]);
  secondary.continue();
  await answers(t, testpmd, 'continued');
  const captured = await running.stop();
  t.equal(captured.code, 0, captured.messages);
  await isUnharmed(t, testpmd, before, 'stopped in mid-capture');
});
