/** Captures whose processes are stopped, killed, or killed twice: they leave a valid file and an unharmed primary. */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import {
  balances,
  capinfos,
  capture,
  enginePid,
  gone,
  isForwarding,
  isUnharmed,
  type LiveCapture,
  remember,
  requirements,
  runDpcap,
  startCapture,
  type Testpmd,
  underLoad,
} from '../harness/index.js';

const skip = requirements({ hugepagesMb: 256 });
/** Small and slow enough for a file: 64-byte packets at full load fill a disk. */
const FILE_LIMIT = ['-s', '64', '-a', 'filesize:2000000'];

async function capturing(testpmd: Testpmd, file: string): Promise<LiveCapture> {
  const running = startCapture(testpmd, ['-i', '0', ...FILE_LIMIT, '-w', file]);
  await running.written(1);
  return running;
}

/** Resolves when none of its threads runs any more: one may still answer for as long as the others keep it off a CPU. */
async function stand(testpmd: Testpmd): Promise<void> {
  testpmd.process.signal('SIGSTOP');
  const tasks = `/proc/${testpmd.pid}/task`;
  const isStopped = (id: string): boolean => /^State:\s*T/m.test(readFileSync(join(tasks, id, 'status'), 'latin1'));
  while (!readdirSync(tasks).every(isStopped)) await delay(1);
}

function isValid(t: Test, file: string, what: string): void {
  t.ok(Number(capinfos(file)['Number of packets']) > 0, `${what}: the file is valid`);
  const unfinished = readdirSync(dirname(file)).filter((name) => name.endsWith('.partial'));
  t.same(unfinished, [], `${what}: and nothing unfinished is beside it`);
}

t.test('signals end a capture in order', { skip }, async (t) => {
  const testpmd = await underLoad(t);
  const before = await remember(testpmd);
  const folder = t.testdir();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    for (const suffix of ['pcap', 'pcapng']) {
      const file = join(folder, `${signal}.${suffix}`);
      const captured = await (await capturing(testpmd, file)).stop(signal);
      balances(t, captured);
      t.equal(captured.final?.stop_reason, 'signal');
      isValid(t, file, signal);
    }
    await isUnharmed(t, testpmd, before, signal);
  }

  // As the terminal does it: to both processes.
  const file = join(folder, 'both.pcap');
  const running = await capturing(testpmd, file);
  process.kill(enginePid(running.pid), 'SIGINT');
  balances(t, await running.stop('SIGINT'));
  isValid(t, file, 'Ctrl-C');

  const early = startCapture(testpmd, ['-i', '0', '-w', join(folder, 'early.pcap')]);
  const captured = await early.stop('SIGTERM');
  t.match(captured, { code: null, signal: 'SIGTERM' }, 'a signal before it began ends it at once');
  await isUnharmed(t, testpmd, before, 'signals');
  await isForwarding(t, testpmd, 'signals');
});

/** Resolves when the engine works at its end, and so sends no more statistics. */
async function stopping(running: LiveCapture): Promise<void> {
  const figures = (): number => running.process.stderr.length;
  for (let before = -1; before !== figures(); ) {
    before = figures();
    await delay(500);
  }
}

/** Resolves when it has captured for longer than the engine takes from one look at the primary to the next. */
async function goesOn({ process }: LiveCapture): Promise<void> {
  const tenths = 15;
  for (let i = 0; i < tenths; i++)
    await process.expect(/"elapsed_s".*\n/, { from: process.stderr.length, stream: 'stderr' });
}

/** A second SIGINT within this time belongs to the first. */
const IMPATIENCE_MS = 1000;

t.test('a second SIGINT gives up waiting for a primary that does not answer', { skip }, async (t) => {
  const testpmd = await underLoad(t);
  const before = await remember(testpmd);
  const running = await capturing(testpmd, join(t.testdir(), 'x.pcap'));
  await stand(testpmd);
  running.process.signal('SIGINT');
  await stopping(running);
  await delay(IMPATIENCE_MS); // by dpcap's clock, which may have started later than ours; the engine takes 5 s
  const captured = await running.stop('SIGINT');
  testpmd.process.signal('SIGCONT');
  t.equal(captured.code, 1, captured.messages);
  t.match(captured.messages, /gave up waiting[\s\S]*dpcap recover/);
  const recovered = await runDpcap(['recover', '--file-prefix', testpmd.prefix]);
  t.match(recovered, { code: 0, stdout: /cleared a capture of pid \d+, 2 queues/ });
  await isUnharmed(t, testpmd, before, 'given up');
  await isForwarding(t, testpmd, 'given up');
});

t.test('what a primary does not confirm is left, and said', { skip }, async (t) => {
  const testpmd = await underLoad(t);
  const before = await remember(testpmd);
  const file = join(t.testdir(), 'x.pcap');
  const running = startCapture(testpmd, ['-i', '0', '-Q', 'rx', ...FILE_LIMIT, '-w', file]);
  await running.written(1);
  await stand(testpmd);
  const captured = await running.stop('SIGINT');
  testpmd.process.signal('SIGCONT');
  balances(t, captured, 1);
  t.match(captured.messages, /left in the primary.*net_null0 queue 0 rx[\s\S]*dpcap recover/);
  isValid(t, file, 'not confirmed');
  const recovered = await runDpcap(['recover', '--file-prefix', testpmd.prefix]);
  t.match(recovered, { code: 0, stdout: /cleared a capture of pid \d+/ });
  await isUnharmed(t, testpmd, before, 'not confirmed');
  await isForwarding(t, testpmd, 'not confirmed');
});

t.test('a primary whose files somebody has removed is not taken for dead', { skip }, async (t) => {
  const testpmd = await underLoad(t);
  const before = await remember(testpmd);
  const running = startCapture(testpmd, ['-i', '0', '-s', '64', '-w', '/dev/null']);
  await running.written(1);
  rmSync(`/var/run/dpdk/${testpmd.prefix}/config`);
  await goesOn(running);
  balances(t, await running.stop('SIGINT'));
  await isUnharmed(t, testpmd, before, 'without its files');
  await isForwarding(t, testpmd, 'without its files');
});

t.test('a killed engine is cleared by its supervisor', { skip }, async (t) => {
  const testpmd = await underLoad(t);
  const before = await remember(testpmd);
  const file = join(t.testdir(), 'x.pcap');
  const running = await capturing(testpmd, file);
  process.kill(enginePid(running.pid), 'SIGKILL');
  const captured = await running.ended();
  t.equal(captured.code, 1);
  t.match(captured.messages, /ended unexpectedly \(SIGKILL\)[\s\S]*was removed/);
  t.notOk(existsSync(file), 'the unfinished file looks unfinished');
  await isUnharmed(t, testpmd, before, 'engine killed');
  await isForwarding(t, testpmd, 'engine killed');
});

t.test('an engine whose supervisor was killed ends in order', { skip }, async (t) => {
  const testpmd = await underLoad(t);
  const before = await remember(testpmd);
  const file = join(t.testdir(), 'x.pcapng');
  const running = await capturing(testpmd, file);
  const engine = enginePid(running.pid);
  await running.stop('SIGKILL');
  await gone(engine);
  isValid(t, file, 'supervisor killed');
  await isUnharmed(t, testpmd, before, 'supervisor killed');
  await isForwarding(t, testpmd, 'supervisor killed');
});

t.test('when both were killed, dpcap recover clears', { skip }, async (t) => {
  const testpmd = await underLoad(t);
  const before = await remember(testpmd);
  const living = await startCapture(testpmd, ['-i', '1', '-Q', 'rx', '-s', '64', '-w', '/dev/null']).started();
  const running = await capturing(testpmd, join(t.testdir(), 'x.pcap'));
  const engine = enginePid(running.pid);
  running.process.signal('SIGSTOP'); // or it would see its engine die
  process.kill(engine, 'SIGKILL');
  await running.stop('SIGKILL');
  await gone(engine);
  await isForwarding(t, testpmd, 'both killed');

  const refused = await capture(testpmd, ['-i', '0', '-c', '1', '-w', '/dev/null']);
  t.match(refused, { code: 1, messages: /killed, pid \d+[\s\S]*dpcap recover/ });
  const recovered = await runDpcap(['recover', '--file-prefix', testpmd.prefix]);
  t.match(recovered, { code: 0, stdout: /cleared a capture of pid \d+, 2 queues[\s\S]*left a running capture alone/ });
  balances(t, await living.stop());
  await isUnharmed(t, testpmd, before, 'recovered');
  balances(t, await capture(testpmd, ['-i', '0', '-c', '1000', '-w', '/dev/null']));
  const again = await runDpcap(['recover', '--file-prefix', testpmd.prefix]);
  t.match(again, { code: 0, stdout: /nothing to clear/ });
  await isUnharmed(t, testpmd, before, 'and captured from again');
  await isForwarding(t, testpmd, 'recovered');
});
