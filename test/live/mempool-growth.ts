/** Without -B, the mempool of a capture that is hard pressed grows, and is all given back, by it or after it. */
import { closeSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import {
  balances,
  enginePid,
  gone,
  isForwarding,
  isUnharmed,
  LiveCapture,
  remember,
  requirements,
  runDpcap,
  startDpcap,
  startTestpmd,
  type Testpmd,
} from './helpers/index.js';

/** With mbufs of this size a quarter of what setup.sh reserves lets it grow. */
const SNAPLEN = '1000';
const skip = requirements({ hugepagesMb: 800 });

async function underLoad(t: Test): Promise<Testpmd> {
  const testpmd = await startTestpmd({ vdevs: ['net_null0', 'net_null1'] });
  t.teardown(() => testpmd.stop());
  await testpmd.command('start');
  return testpmd;
}

function startGrowing(testpmd: Testpmd): LiveCapture {
  const options = ['--stats', 'ndjson', '--stats-interval', '0.1', '-i', '0', '-Q', 'rx', '-s', SNAPLEN];
  const process = startDpcap([...options, '--file-prefix', testpmd.prefix, '-w', '/dev/null']);
  process.closeStdin();
  return new LiveCapture(process);
}

const parts = async (testpmd: Testpmd): Promise<number> =>
  (await testpmd.snapshot()).mempools.filter((name) => /^dpcap_.*_m\d$/.test(name)).length;

/** Stops the engine until no mbuf is left, and lets it go on. */
async function press(testpmd: Testpmd, engine: number, meanwhile = (): void => {}): Promise<void> {
  process.kill(engine, 'SIGSTOP');
  const { rxPackets } = await testpmd.forwarding();
  await testpmd.forwarded(rxPackets + 1_000_000);
  meanwhile();
  process.kill(engine, 'SIGCONT');
}

/** The lock of the memzones (`mlock`, the fifth word of rte_mem_config), taken by a writer (DPDK 21.05 to 25.11). */
function lockMemzones(prefix: string): void {
  const word = Buffer.from([2, 0, 0, 0]);
  const file = openSync(`/var/run/dpdk/${prefix}/config`, 'r+');
  writeSync(file, word, 0, word.length, 16);
  closeSync(file);
}

/** Resolves when the thread that adds to the mempool has used half a second: what it does takes milliseconds. */
async function spinning(engine: number): Promise<void> {
  const tasks = `/proc/${engine}/task`;
  const pool = readdirSync(tasks).find((id) => readFileSync(`${tasks}/${id}/comm`, 'latin1') === 'dpcap-pool\n');
  while (Number(readFileSync(`${tasks}/${pool}/schedstat`, 'latin1').split(' ')[0]) < 500_000_000) await delay(10);
}

/** Resolves when the thread that adds to the mempool has nothing more to do. */
async function grown(engine: number): Promise<void> {
  const nameOf = (id: string): string => {
    try {
      return readFileSync(`/proc/${engine}/task/${id}/comm`, 'latin1').trim();
    } catch {
      return ''; // that thread has ended since
    }
  };
  const names = (): string[] => readdirSync(`/proc/${engine}/task`).map(nameOf);
  while (names().includes('dpcap-pool')) await delay(10);
}

/** A capture whose mempool has grown, and its primary as it was before. */
async function grownCapture(t: Test) {
  const testpmd = await underLoad(t);
  const before = await remember(testpmd);
  const running = await startGrowing(testpmd).started();
  const engine = enginePid(running.pid);
  await press(testpmd, engine);
  await grown(engine);
  t.ok((await parts(testpmd)) > 0, 'parts were added');
  return { testpmd, before, running, engine };
}

t.test('it grows when it is short, and is given back', { skip }, async (t) => {
  const { testpmd, before, running } = await grownCapture(t);
  const records = running.process.stderr.length;
  await running.process.expect(/"elapsed_s".*\n/, { from: records, stream: 'stderr' });
  const captured = await running.stop();
  t.equal(captured.code, 0, captured.messages);
  balances(t, captured);
  await isUnharmed(t, testpmd, before, 'grown');
  await isForwarding(t, testpmd, 'grown');
});

t.test('what a killed one had is cleared', { skip }, async (t) => {
  const { testpmd, before, running, engine } = await grownCapture(t);
  running.process.signal('SIGSTOP'); // or it would clear up after its engine
  process.kill(engine, 'SIGKILL');
  await running.stop('SIGKILL');
  await gone(engine);
  const recovered = await runDpcap(['recover', '--file-prefix', testpmd.prefix]);
  t.match(recovered, { code: 0, stdout: /cleared a capture of pid \d+/ });
  await isUnharmed(t, testpmd, before, 'cleared');
  await isForwarding(t, testpmd, 'cleared');
});

t.test('a lock that the primary died with is not waited for', { skip }, async (t) => {
  const testpmd = await underLoad(t);
  const running = await startGrowing(testpmd).started();
  const engine = enginePid(running.pid);
  await press(testpmd, engine, () => lockMemzones(testpmd.prefix));
  await spinning(engine);
  await testpmd.kill();
  const captured = await running.ended();
  balances(t, captured, 1);
  t.match(captured.messages, /the primary process exited/);
});
