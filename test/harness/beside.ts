/** Short captures from a small primary, beside somebody who does not answer. */
import type { Test } from 'tap';
import type { Captured, LiveCapture } from './capture.js';
import { killBoth } from './engine.js';
import { startCaptureIn } from './fault.js';
import { answers } from './primary-answers.js';
import { runDpcap } from './processes.js';
import { startTestpmd, type Testpmd } from './testpmd.js';

/** Somebody who does not answer is named long before EAL's own 5 s are over. */
const NAMED_MS = 3000;
/** The longest that a capture that goes wrong is waited for. */
const END_MS = 30_000;

/** A primary under load, and so small that a capture of the default size has to ask it for memory. */
export async function smallPrimary(t: Test, memoryMb = 64): Promise<Testpmd> {
  const testpmd = await startTestpmd({ vdevs: ['net_null0', 'net_null1'], memoryMb });
  t.teardown(() => testpmd.stop());
  await testpmd.command('start');
  return testpmd;
}

/** A capture of the default size that ends by itself at once. */
export function startShort(testpmd: Testpmd, env: NodeJS.ProcessEnv = {}): LiveCapture {
  return startCaptureIn(env, testpmd, ['-i', '0', '-Q', 'rx', '-c', '1000', '-w', '/dev/null']);
}

/** Waits for its end. Kills both of its processes when that takes too long: an engine alone would go on waiting. */
export async function endOf(running: LiveCapture, timeoutMs = END_MS): Promise<Captured> {
  const late = setTimeout(() => killBoth(running.pid), timeoutMs);
  const captured = await running.ended(2 * timeoutMs);
  clearTimeout(late);
  return captured;
}

/** Asserts that a capture was refused before EAL's limit, naming who is stopped. */
export async function isRefused(t: Test, running: LiveCapture, pid: number, name: string): Promise<void> {
  const began = performance.now();
  const captured = await endOf(running);
  t.ok(performance.now() - began < NAMED_MS, `it was told within ${NAMED_MS} ms`);
  t.match(captured, { code: 1, signal: null });
  t.match(captured.messages, new RegExp(`\\b${pid}\\b`), 'with the pid');
  t.match(captured.messages, new RegExp(`${name}.*stopped|stopped.*${name}`, 's'), 'and the name of what is stopped');
}

/** Asserts that nobody had to wait for it, or that it said why it gave up; and that it can be cleared. */
export async function isClearedAfter(t: Test, testpmd: Testpmd, captured: Captured, what: string): Promise<void> {
  t.ok(captured.code === 0 || /answer|stopped/.test(captured.messages), `${what}: ${captured.messages}`);
  t.notMatch(captured.messages, /ended unexpectedly/, `${what}: the engine did not crash`);
  await answers(t, testpmd, what);
  t.match(await runDpcap(['recover', '--file-prefix', testpmd.prefix]), { code: 0 });
}
