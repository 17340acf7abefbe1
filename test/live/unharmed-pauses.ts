/** A primary that is stopped, or pauses, while a capture starts: it is named, or waited for, and lives. */
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { endOf, isClearedAfter, isRefused, smallPrimary, startShort } from '../harness/beside.js';
import { type FaultPoint, faultAt } from '../harness/fault.js';
import { forward2kni, isUnharmed, remember, requirements, runDpcap } from '../harness/index.js';
import { joined, recordReserved } from '../harness/joined.js';
import { answers } from '../harness/primary-answers.js';
import { continueProcess, stopProcess } from '../harness/stopped.js';

const skip = requirements({ hugepagesMb: 512 });

t.test('a stopped primary is named', { skip }, async (t) => {
  const testpmd = await smallPrimary(t, 128);
  const before = await remember(testpmd);
  await stopProcess(testpmd.pid);
  await isRefused(t, startShort(testpmd), testpmd.pid, 'dpdk-testpmd');
  const json = await forward2kni(testpmd, '0', 'on', ['--json']);
  t.match(json, { code: 1, stderr: /"ERR_PRIMARY_STOPPED"/ });
  t.match(await runDpcap(['list']), { code: 0, stdout: new RegExp(`${testpmd.prefix}.*stopped`) }, 'list says so');
  t.match(await runDpcap(['doctor', '--file-prefix', testpmd.prefix]), { stdout: /stopped/ }, 'doctor says so');
  continueProcess(testpmd.pid);
  await answers(t, testpmd, 'continued');
  await isUnharmed(t, testpmd, before, 'after it was stopped');
});

/** Where a primary stops, for how long. */
const PAUSES: [point: FaultPoint, ms: number][] = [
  ['attach.end', 3000],
  ['attach.end', 7000],
  ['record.reserved', 7000],
];

for (const [point, ms] of PAUSES) {
  t.test(`a primary that pauses for ${ms} ms after ${point}`, { skip }, async (t) => {
    const testpmd = await smallPrimary(t, 128);
    const before = await remember(testpmd);
    const running = startShort(testpmd, faultAt(point, 'sleep:1500'));
    await (point === 'attach.end' ? joined(testpmd) : recordReserved(testpmd));
    await stopProcess(testpmd.pid);
    await delay(ms);
    continueProcess(testpmd.pid);
    const captured = await endOf(running);
    if (ms < 5000) t.equal(captured.code, 0, `harmless: ${captured.messages}`);
    await isClearedAfter(t, testpmd, captured, 'paused');
    await isUnharmed(t, testpmd, before, 'paused');
  });
}
