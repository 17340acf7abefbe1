/** Primary and dpcap in PID namespaces of their own, as in containers: what cannot be seen is not taken for harmless. */
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import {
  balances,
  capture,
  childrenOf,
  enginePid,
  type Finished,
  gone,
  isForwarding,
  isUnharmed,
  LiveCapture,
  remember,
  requirements,
  runDpcap,
  startDpcapInPidNamespace,
  type Testpmd,
  underLoad,
} from '../harness/index.js';

const skip = requirements({ tools: ['unshare'] });
const PID_NAMESPACE = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc'];
const CAPTURE = ['--stats', 'ndjson', '--stats-interval', '0.1', '-B', '16384', '-i', '0', '-w', '/dev/null'];
/** It cannot see the primary there, and so not read its table. */
const BLINDLY = ['--trust-mempools'];

/** A capture in a PID namespace from which the primary's threads cannot be seen. */
function captureElsewhere(testpmd: Testpmd, args: string[], env: NodeJS.ProcessEnv = {}): LiveCapture {
  return new LiveCapture(
    startDpcapInPidNamespace([...CAPTURE, ...BLINDLY, '--file-prefix', testpmd.prefix, ...args], env),
  );
}

/** What `unshare --fork` runs. */
function onlyChild(pid: number): number {
  return childrenOf(pid)[0] ?? 0;
}

function recover({ prefix }: Testpmd): Promise<Finished> {
  return runDpcap(['recover', '--file-prefix', prefix]);
}

t.test(
  'one that cannot read the table of mempool handlers is refused, unless somebody vouches',
  { skip },
  async (t) => {
    const testpmd = await underLoad(t);
    const before = await remember(testpmd);
    const refused = await startDpcapInPidNamespace([...CAPTURE, '-c', '1', '--file-prefix', testpmd.prefix]).wait();
    t.match(refused, { code: 1, stderr: /do not prove it[\s\S]*--trust-mempools/ });
    await isUnharmed(t, testpmd, before, 'refused');
  },
);

t.test('a capture that cannot see the threads leaves its memory, and says so', { skip }, async (t) => {
  const testpmd = await underLoad(t);
  const before = await remember(testpmd);
  const captured = await captureElsewhere(testpmd, ['-c', '1000']).ended();
  balances(t, captured, 1);
  t.match(captured.messages, /cannot be seen from this PID namespace[\s\S]*on the host\): dpcap recover/);
  t.match(await recover(testpmd), { code: 0, stdout: /cleared a capture of pid \d+/ });
  await isUnharmed(t, testpmd, before, 'recovered where they can be seen');
  await isForwarding(t, testpmd, 'recovered');
});

t.test('a capture killed with its PID namespace is dead', { skip }, async (t) => {
  const testpmd = await underLoad(t);
  const before = await remember(testpmd);
  const running = captureElsewhere(testpmd, []);
  await running.written(1);
  t.match(await recover(testpmd), { code: 0, stdout: /left a running capture alone/ }, 'it runs');
  const supervisor = onlyChild(running.pid);
  const engine = enginePid(supervisor);
  process.kill(supervisor, 'SIGSTOP'); // or the engine, killed a moment later than it, would be in the middle of its end
  process.kill(engine, 'SIGKILL');
  await running.stop('SIGKILL');
  await gone(engine);
  t.match(await recover(testpmd), { code: 0, stdout: /cleared a capture of pid \d+, 2 queues/ });
  await isUnharmed(t, testpmd, before, 'its namespace is gone');
  await isForwarding(t, testpmd, 'its namespace is gone');
});

t.test('one that has only begun to write down who it is, too', { skip }, async (t) => {
  const testpmd = await underLoad(t);
  const before = await remember(testpmd);
  const running = captureElsewhere(testpmd, [], { DPCAP_FAULT: 'record.reserved=sleep:60000' });
  const isRecord = (name: string): boolean => /^dpcap_\d+_[0-9a-f]+$/.test(name);
  while (!(await testpmd.snapshot()).memzones.some(isRecord)) {
    if (!running.process.alive()) throw new Error(`it ended instead: ${running.process.output}`);
    await delay(20);
  }
  t.match(await recover(testpmd), { code: 0, stdout: /left a running capture alone/ }, 'it runs');
  const engine = enginePid(onlyChild(running.pid));
  await running.stop('SIGKILL');
  await gone(engine);
  t.match(await recover(testpmd), { code: 0, stdout: /cleared a capture of pid \d+/ });
  await isUnharmed(t, testpmd, before, 'its namespace is gone');
});

t.test('a primary in a namespace below ours is seen', { skip }, async (t) => {
  const testpmd = await underLoad(t, { within: PID_NAMESPACE });
  const before = await remember(testpmd);
  balances(t, await capture(testpmd, ['-i', '0', '-c', '1000', '-w', '/dev/null']));
  await isUnharmed(t, testpmd, before, 'captured from');
});
