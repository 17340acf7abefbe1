/**
 * "The primary never locks": it can always attach and detach a port, which takes its hot-plug lock, asks all its
 * secondaries, and allocates memory.
 */
import type { Test } from 'tap';
import { secondariesOf } from './joined.js';
import { delaySince, runDelays } from './run-delay.js';
import type { Testpmd } from './testpmd.js';

/** How long it may take, without the time in which those who take part had no CPU. */
export const ANSWER_LIMIT_MS = 1000;

/** EAL's thread for messages between processes (its second name is from 23.11 on). */
const IPC_THREAD = /^(rte_mp_handle|dpdk-mp-msg)/;

/** Of the port that comes and goes; testpmd's other vdevs have lower numbers. */
const DEVICE = 'net_null77';

/** Of what a primary said meanwhile, in characters: one that goes mad says a lot. */
const MOST_SAID = 2000;

/** How long the primary took to attach a port and to detach it again. */
export interface Answers {
  attachMs: number;
  detachMs: number;
}

/** Attaches a port and detaches it. @throws Error when the primary is gone, refuses, or does not answer in 20 s */
export async function askPrimary(testpmd: Testpmd): Promise<Answers> {
  const [answer, attachMs] = await timed(testpmd, `port attach ${DEVICE}`, /Port \d+ is attached/);
  const port = /Port (\d+) is attached/.exec(answer)?.[1];
  const [, detachMs] = await timed(testpmd, `port detach ${port}`, /detached/);
  return { attachMs, detachMs };
}

/** A command's answer, and how long it took. */
async function timed(testpmd: Testpmd, command: string, until: RegExp): Promise<[string, number]> {
  const pids = [testpmd.pid, ...secondariesOf(testpmd)];
  const delays = runDelays(pids, IPC_THREAD);
  const began = performance.now();
  const answer = await testpmd.command(command, until);
  return [answer, performance.now() - began - delaySince(delays, runDelays(pids, IPC_THREAD))];
}

/** What is wrong with how the primary answers; undefined when nothing is. */
export async function answerFailure(testpmd: Testpmd): Promise<string | undefined> {
  if (!testpmd.alive()) return 'the primary is dead';
  const from = testpmd.process.output.length;
  const began = performance.now();
  try {
    const { attachMs, detachMs } = await askPrimary(testpmd);
    if (Math.max(attachMs, detachMs) <= ANSWER_LIMIT_MS) return undefined;
    return `the primary is slow: port attach ${attachMs.toFixed(0)} ms, port detach ${detachMs.toFixed(0)} ms`;
  } catch {
    const ms = (performance.now() - began).toFixed(0);
    const isPrompting = /testpmd> $/.test(testpmd.process.output.slice(from));
    if (isPrompting) await reasonGiven(testpmd, from);
    const said = testpmd.process.output.slice(from).slice(-MOST_SAID);
    if (!testpmd.alive()) return `the primary died:\n${said}`;
    return `the primary ${isPrompting ? 'refused' : 'is locked'}, after ${ms} ms:\n${said}`;
  }
}

/** Resolves when the reason of a refusal is there: it comes on standard error, and may be read after the prompt. */
async function reasonGiven(testpmd: Testpmd, from: number): Promise<void> {
  await testpmd.process
    .expect(/Failed to (attach|detach) (port|device)/, { from, timeoutMs: ANSWER_LIMIT_MS })
    .catch(() => undefined);
}

/**
 * Asserts that the primary attaches and detaches a port, each within a second.
 * @throws Error when it is dead or locked: whatever comes next would wait for it in vain
 */
export async function answers(t: Test, testpmd: Testpmd, what: string): Promise<void> {
  const failure = await answerFailure(testpmd);
  if (failure && !failure.startsWith('the primary is slow')) throw new Error(`${what}: ${failure}`);
  t.equal(failure, undefined, `${what}: the primary attaches and detaches a port within a second`);
}
