/**
 * The engine process: joins the primary, carries out a plan, or several at once, and leaves. The supervisor
 * (supervisor/engine-process.ts) starts it and talks to it over IPC. When the supervisor dies, the kernel and the closed
 * channel both say so, and the captures end in order.
 */
import '../system/signals.js';
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { asDpcapError } from '../errors.js';
import { hostAddon } from '../native/addons.js';
import { removeSockets } from '../primary/secondaries.js';
import { CriticalSections } from '../protocol/critical-sections.js';
import type { StopReason, ToEngine } from '../protocol/messages.js';
import { type EnginePlan, planSchema } from '../protocol/plan.js';
import { alone } from '../system/lock-file.js';
import { onEndingSignal } from '../system/signals.js';
import { CaptureRun } from './capture-run.js';
import { createSend, flushed } from './engine-channel.js';
import { recover } from './recovery.js';
import { AgentSession } from './session/agent-session.js';
import { Session } from './session/attachment.js';
import type { CaptureSession } from './session/capture-session.js';
import { EbpfSession } from './session/ebpf-session.js';
import { ReadSession } from './session/read-session.js';

/** Time between two looks at a critical section that is no longer waited for. */
const STUCK_LOOK_MS = 200;

const send = createSend(stopFor('supervisor gone'));
const sections = new CriticalSections(
  (name) => send({ type: 'section', name }),
  (work) => (runtimeDir === undefined ? work() : alone(hostAddon(), runtimeDir, work)),
);
/** The captures that have not ended. */
const runs = new Map<number, CaptureRun>();
let session: Session | undefined;
let runtimeDir: string | undefined;

/** Carries a capture out. All captures of an engine are of the same primary. */
async function capture({ capture: number, plan: input }: Extract<ToEngine, { type: 'capture' }>): Promise<void> {
  const plan = planSchema.parse(input);
  const run = new CaptureRun(number, plan, send, sessionFor(plan));
  runs.set(number, run);
  const done = await run.toEnd();
  runs.delete(number);
  send(done);
}

/** Captures without a primary that was joined have nothing in common but the process. */
function sessionFor(plan: EnginePlan): CaptureSession {
  if (plan.agent) return new AgentSession(plan);
  if (plan.ebpf) return new EbpfSession(plan.ebpf);
  if (plan.input) return new ReadSession({ ...plan, input: plan.input });
  runtimeDir = plan.runtimeDir;
  session ??= new Session(plan, sections);
  return session;
}

async function recoverPrimary({ target }: Extract<ToEngine, { type: 'recover' }>): Promise<void> {
  runtimeDir = target.runtimeDir;
  session = new Session(target, sections);
  try {
    const tell = (text: string): void => send({ type: 'notice', capture: 0, text });
    send({ type: 'recovered', report: await recover(target, session, tell), error: undefined });
  } catch (error) {
    const report = { cleared: [], inDoubt: [], running: [] };
    send({ type: 'recovered', report, error: asDpcapError(error).toJSON() });
  }
}

async function handle(message: ToEngine): Promise<void> {
  if (message.type === 'stop') return runs.get(message.capture)?.stop(message.reason);
  if (message.type === 'abandon') return abandon();
  if (message.type === 'report') return runs.get(message.capture)?.report();
  if (message.type === 'flush') return runs.get(message.capture)?.flush();
  await (message.type === 'capture' ? capture(message) : recoverPrimary(message));
  if (runs.size > 0) return;
  await flushed();
  if (process.connected) process.disconnect?.();
  await outOfSections();
  exitNow(0);
}

/** Ends this process without waiting for threads, and without EAL's clean-up where that has not been done. */
function exitNow(code: number): void {
  if (runtimeDir !== undefined) removeSockets(runtimeDir, process.pid);
  hostAddon().endAtOnce(code);
}

/**
 * A critical section that did not end in time waits for a lock. If the holder of the lock is dead, nothing gets worse
 * when this process ends. If a process that may hold it is only stopped, this process stays: it may itself hold another
 * lock that is needed afterwards.
 */
async function outOfSections(): Promise<void> {
  while (sections.current && session?.hasStopped()) await sleep(STUCK_LOOK_MS);
}

/** Leaves everything in the primary where it is, and ends this process as soon as that hurts nobody. */
function abandon(): void {
  session?.abandon();
  sections.whenOutside(() => exitNow(1));
}

/** Makes a listener that ends all captures in order; anything else is given up. */
function stopFor(reason: StopReason): () => void {
  return () => {
    if (runs.size === 0) abandon();
    for (const run of runs.values()) run.stop(reason);
  };
}

// This makes the engine's own pipe for standard error not block: no output of a library may hold up a drain thread.
process.stderr.on('error', () => {});
hostAddon().dieWithParent(constants.signals.SIGTERM);
process.on('message', (message: ToEngine) => void handle(message));
process.on('disconnect', stopFor('supervisor gone'));
// Ctrl-C reaches the supervisor, which decides; the engine, in a session of its own, gets only signals sent to it.
onEndingSignal(stopFor('signal'));
send({ type: 'ready' });
