/**
 * The engine process: joins the primary, carries out one plan, leaves. Started by capture/supervisor.ts, which it talks to over
 * IPC; when that process dies, the kernel and the closed channel both say so and the capture ends in order.
 */
import { constants } from 'node:os';
import { binding } from './binding.js';
import { CaptureRun } from './capture/capture-run.js';
import { createSend, flushed } from './capture/engine-channel.js';
import type { StopReason, ToEngine } from './capture/messages.js';
import { planSchema } from './capture/plan.js';
import { recover } from './capture/recover.js';
import { isJoining } from './capture/session.js';
import { asDpcapError } from './errors.js';

/** EAL joins in a fraction of a second. Where it takes longer it waits for somebody, and holds nothing itself. */
const JOIN_LIMIT_MS = 10_000;

const send = createSend(stopFor('supervisor gone'));

let run: CaptureRun | undefined;
let isRecovering = false;

async function capture(input: unknown): Promise<void> {
  run = new CaptureRun(planSchema.parse(input), send);
  send(await run.toEnd());
}

async function recoverPrimary(message: Extract<ToEngine, { type: 'recover' }>): Promise<void> {
  isRecovering = true;
  try {
    send({ type: 'recovered', report: await recover(message.target), error: undefined });
  } catch (error) {
    const report = { cleared: [], inDoubt: [], running: [] };
    send({ type: 'recovered', report, error: asDpcapError(error).toJSON() });
  }
}

async function handle(message: ToEngine): Promise<void> {
  if (message.type === 'stop') return run?.stop(message.reason);
  await (message.type === 'capture' ? capture(message.plan) : recoverPrimary(message));
  await flushed();
  if (process.connected) process.disconnect?.();
  binding().endAtOnce(0); // a thread that waits for a lock of EAL's would be waited for
}

function stopFor(reason: StopReason): () => void {
  return () => {
    setTimeout(endOrphan, JOIN_LIMIT_MS).unref();
    if (run) run.stop(reason);
    else if (!isRecovering) binding().endAtOnce(1); // what clears comes to an end by itself
  };
}

/** An orphan that is still joining would wait for ever, at the cost of a CPU. */
function endOrphan(): void {
  if (!process.connected && isJoining()) binding().endAtOnce(1);
}

binding().dieWithParent(constants.signals.SIGTERM);
process.on('message', (message: ToEngine) => void handle(message));
process.on('disconnect', stopFor('supervisor gone'));
// Ctrl-C reaches the whole process group; the supervisor hears it too and decides.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stopFor('signal'));
send({ type: 'ready' });
