/** Without -B, the mempool of a capture that is hard pressed grows, and is all given back, by it or after it. */
import t, { type Test } from 'tap';
import {
  balances,
  enginePid,
  gone,
  isForwarding,
  isUnharmed,
  LiveCapture,
  recordsIn,
  remember,
  requirements,
  runDpcap,
  startDpcap,
  type Testpmd,
  underLoad,
} from '../harness/index.js';

/** With mbufs of this size a quarter of what setup.sh reserves lets it grow. */
const SNAPLEN = '1000';
/** What it has without pressure. */
const PLANNED_MBUFS = 65_535;
/** A piece of memory that only a capture under pressure comes to: what is planned takes less than 60. */
const KILLED_AT_PIECE = 70;
const skip = requirements({ hugepagesMb: 800 });

function startGrowing(testpmd: Testpmd, env: NodeJS.ProcessEnv = {}): LiveCapture {
  const options = ['--stats', 'ndjson', '--stats-interval', '0.1', '-i', '0', '-Q', 'rx', '-s', SNAPLEN];
  const process = startDpcap([...options, '--file-prefix', testpmd.prefix, '-w', '/dev/null'], { env });
  process.closeStdin();
  return new LiveCapture(process);
}

/** Resolves with a record in which `isEnough`. */
async function grown(running: LiveCapture, isEnough: (mbufs: number) => boolean): Promise<void> {
  for (let from = 0; ; from = running.process.stderr.length) {
    if (recordsIn(running.process.stderr).some(({ mbufs }) => isEnough(mbufs))) return;
    await running.process.expect(/"elapsed_s".*\n/, { from, stream: 'stderr' });
  }
}

/** A capture that has all that was planned, with its engine; and its primary as it was before. Nothing is forwarded yet. */
async function plannedCapture(t: Test, env?: NodeJS.ProcessEnv) {
  const testpmd = await underLoad(t);
  const before = await remember(testpmd);
  await testpmd.command('stop'); // a load may come to more than what is planned before that is there
  const running = await startGrowing(testpmd, env).started();
  await grown(running, (mbufs) => mbufs > PLANNED_MBUFS - 257);
  return { testpmd, before, running, engine: enginePid(running.pid) };
}

/** Stops the engine until no mbuf is left, and lets it go on. */
async function press(testpmd: Testpmd, engine: number): Promise<void> {
  process.kill(engine, 'SIGSTOP');
  const { rxPackets } = await testpmd.forwarding();
  await testpmd.forwarded(rxPackets + 1_000_000);
  process.kill(engine, 'SIGCONT');
}

t.test('it grows when it is short, and is given back', { skip }, async (t) => {
  const { testpmd, before, running, engine } = await plannedCapture(t);
  await testpmd.command('start');
  await press(testpmd, engine);
  await grown(running, (mbufs) => mbufs > PLANNED_MBUFS);
  const captured = await running.stop();
  t.equal(captured.code, 0, captured.messages);
  balances(t, captured);
  await isUnharmed(t, testpmd, before, 'grown');
  await isForwarding(t, testpmd, 'grown');
});

t.test('what one had that was killed while it grew is cleared', { skip }, async (t) => {
  const env = { DPCAP_FAULT: `pool.piece@${KILLED_AT_PIECE}=kill` };
  const { testpmd, before, running, engine } = await plannedCapture(t, env);
  running.process.signal('SIGSTOP'); // or it would clear up after its engine
  await testpmd.command('start');
  await press(testpmd, engine);
  await gone(engine);
  await running.stop('SIGKILL');
  const recovered = await runDpcap(['recover', '--file-prefix', testpmd.prefix]);
  t.match(recovered, { code: 0, stdout: /cleared a capture of pid \d+/ });
  await isUnharmed(t, testpmd, before, 'cleared');
  await isForwarding(t, testpmd, 'cleared');
});
