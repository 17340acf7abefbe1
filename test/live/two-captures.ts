/** Two captures in one engine: each has its own lanes, output and end, and both together leave nothing. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import type { FromEngine, ToEngine } from '../../src/protocol/messages.js';
import {
  capinfos,
  gone,
  isForwarding,
  isUnharmed,
  remember,
  requirements,
  runDpcap,
  startTestpmd,
  type Testpmd,
} from '../harness/index.js';

const skip = requirements({ hugepagesMb: 256 });
const ENGINE = fileURLToPath(new URL('../../bundle/engine.cjs', import.meta.url));
/**
 * Addresses that no engine clashes with. Here nobody tries another seed, as a supervisor would, and V8 takes its pages at
 * random addresses below 2^46 (GetRandomMmapAddr in src/base/platform/platform-posix.cc of Node 20): how many it has
 * taken when EAL starts is a matter of timing, also with a fixed seed.
 */
const BASE = '0x600000000000';
const SMALL = ['-B', '16384', '-s', '64'];

type Done = Extract<FromEngine, { type: 'done' }>;

/** An engine without a supervisor, and what it says. */
class Conversation {
  readonly engine: ChildProcess;
  readonly exited: Promise<unknown[]>;
  readonly #said: FromEngine[] = [];

  constructor(t: Test, env: NodeJS.ProcessEnv = {}) {
    const options = { serialization: 'advanced', env: { ...process.env, ...env } } as const;
    this.engine = fork(ENGINE, ['--random-seed=1'], options);
    this.exited = once(this.engine, 'exit');
    t.teardown(() => this.engine.kill('SIGKILL'));
    this.engine.on('message', (message: FromEngine) => {
      this.#said.push(message);
      this.engine.emit('said');
    });
  }

  send(message: ToEngine): void {
    this.engine.send(message);
  }

  /** Begins a capture with these words after `dpcap capture`, and little memory. */
  begin(capture: number, testpmd: Testpmd, words: string[]): Promise<void> {
    return this.beginLarge(capture, testpmd, [...SMALL, ...words]);
  }

  /** Begins one with the default amount of memory. */
  async beginLarge(capture: number, testpmd: Testpmd, words: string[]): Promise<void> {
    const dryRun = await runDpcap(['--file-prefix', testpmd.prefix, ...words, '--dry-run']);
    if (dryRun.code !== 0) throw new Error(dryRun.stderr);
    this.send({ type: 'capture', capture, plan: JSON.parse(dryRun.stdout) });
  }

  /** Resolves with the first message of this type about a capture. */
  async about<T extends 'started' | 'done'>(capture: number, type: T): Promise<Extract<FromEngine, { type: T }>> {
    while (true) {
      const found = this.#said.find((one) => one.type === type && 'capture' in one && one.capture === capture);
      if (found) return found as Extract<FromEngine, { type: T }>;
      const end = this.#said.find((one) => one.type === 'done' && one.capture === capture);
      if (end?.type === 'done') throw new Error(`it ended instead: ${JSON.stringify(end.error)}`);
      await once(this.engine, 'said');
    }
  }

  /** Resolves when a capture that had been growing does not any more, although it has less than planned. */
  async restsFromGrowing(capture: number): Promise<void> {
    const { mbufs: planned } = await this.about(capture, 'started');
    while (true) {
      const [before, last] = this.#said
        .flatMap((one) => (one.type === 'stats' && one.capture === capture ? [one.stats.mbufs] : []))
        .slice(-2);
      if (before === last && last !== undefined && last < planned) return;
      await once(this.engine, 'said');
    }
  }
}

async function forwarding(t: Test): Promise<Testpmd> {
  const testpmd = await startTestpmd({ vdevs: ['net_null0', 'net_null1'], eal: [`--base-virtaddr=${BASE}`] });
  t.teardown(() => testpmd.stop());
  await testpmd.command('start');
  return testpmd;
}

function packets(file: string): number {
  return Number(capinfos(file)['Number of packets']);
}

function written({ stats }: Done): number {
  return Number(stats?.lanes.reduce((sum, lane) => sum + lane.written, 0n));
}

t.test('side by side, each with its own end', { skip }, async (t) => {
  const testpmd = await forwarding(t);
  const before = await remember(testpmd);
  const [one, other] = [join(t.testdir(), 'one.pcap'), join(t.testdirName, 'other.pcapng')];
  const said = new Conversation(t);
  await said.begin(0, testpmd, ['-i', '0', '-Q', 'rx', '-w', one]);
  await said.begin(7, testpmd, ['-i', '1', '-w', other, '-c', '5000']);
  const first = await said.about(7, 'done');
  t.match(first, { reason: 'packets', error: undefined, leftBehind: [], file: other });
  t.equal(packets(other), 5000);
  t.match(await said.about(0, 'started'), { lanes: [{ device: 'net_null0', direction: 'rx' }] });
  t.equal(said.engine.exitCode, null, 'the engine stays for the other');

  await said.begin(7, testpmd, ['-i', '1', '-w', other, '-c', '10']); // the number is free again
  while (packets(other) !== 10) await once(said.engine, 'said');
  said.send({ type: 'stop', capture: 0, reason: 'stopped' });
  const second = await said.about(0, 'done');
  t.match(second, { reason: 'stopped', error: undefined, leftBehind: [], file: one });
  t.equal(packets(one), written(second));
  t.same(await said.exited, [0, null], 'the engine ends with the last');
  await isUnharmed(t, testpmd, before, 'after both');
  await isForwarding(t, testpmd, 'after both');
});

t.test('a lane has one capture, also in one engine', { skip }, async (t) => {
  const testpmd = await forwarding(t);
  const said = new Conversation(t);
  await said.begin(0, testpmd, ['-i', '0', '-w', '/dev/null']);
  await said.about(0, 'started');
  await said.begin(1, testpmd, ['-i', 'any', '-w', '/dev/null']);
  t.match(await said.about(1, 'done'), { error: { error: 'ERR_CAPTURE_BUSY' }, leftBehind: [] });
  said.engine.kill('SIGTERM');
  t.match(await said.about(0, 'done'), { reason: 'signal', error: undefined, leftBehind: [] });
});

t.test('recover clears both after a kill', { skip }, async (t) => {
  const testpmd = await forwarding(t);
  const before = await remember(testpmd);
  const said = new Conversation(t);
  for (const port of [0, 1]) await said.begin(port, testpmd, ['-i', String(port), '-w', '/dev/null']);
  for (const port of [0, 1]) await said.about(port, 'started');
  said.engine.kill('SIGKILL');
  await gone(said.engine.pid as number);
  const recovered = await runDpcap(['recover', '--file-prefix', testpmd.prefix]);
  t.equal(recovered.stdout.match(/cleared a capture of pid/g)?.length, 2, recovered.stdout);
  await isUnharmed(t, testpmd, before, 'after recover');
});

t.test('both end with a primary that is killed, with all that came', { skip }, async (t) => {
  const testpmd = await forwarding(t);
  const said = new Conversation(t);
  const files = [0, 1].map((port) => join(t.testdirName, `${port}.pcap`));
  t.testdir({});
  for (const port of [0, 1]) await said.begin(port, testpmd, ['-i', String(port), '-w', files[port] as string]);
  for (const port of [0, 1]) await said.about(port, 'started');
  await testpmd.kill();
  for (const port of [0, 1]) {
    const done = await said.about(port, 'done');
    t.match(done, { error: { error: 'ERR_PRIMARY_GONE' }, leftBehind: [] });
    t.equal(packets(files[port] as string), written(done));
  }
  t.same(await said.exited, [0, null]);
});

t.test('also while one of them takes memory of its', { skip }, async (t) => {
  const testpmd = await forwarding(t);
  // A capture of the default size has 16 pieces when it starts, the other one has few. The request for memory goes on
  // when both captures have left the primary's memory, and before the engine ends.
  const said = new Conversation(t, { DPCAP_FAULT: 'pool.piece@40=sleep:3000,left@2=sleep:4000' });
  await said.begin(0, testpmd, ['-i', '0', '-w', '/dev/null']);
  await said.about(0, 'started');
  await said.beginLarge(1, testpmd, ['-i', '1', '-w', '/dev/null', '--stats-interval', '0.1']);
  await said.restsFromGrowing(1);
  await testpmd.kill();
  for (const port of [1, 0]) {
    t.match(await said.about(port, 'done'), { error: { error: 'ERR_PRIMARY_GONE' }, leftBehind: [] });
  }
  t.same(await said.exited, [0, null], 'it did not touch what is gone');
});
