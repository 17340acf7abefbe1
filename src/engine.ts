/**
 * The engine process: joins the primary, carries out one plan, leaves. Started by capture/supervisor.ts, which it talks to over
 * IPC; when that process dies, the kernel and the closed channel both say so and the capture ends in order.
 */
import './signals.js';
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { binding } from './binding.js';
import { CaptureRun } from './capture/capture-run.js';
import type { FromEngine, StopReason, ToEngine } from './capture/messages.js';
import { planSchema } from './capture/plan.js';
import { recover } from './capture/recover.js';
import { asDpcapError } from './errors.js';
import { endingSignals } from './signals.js';

const send = (message: FromEngine): void => {
  if (process.connected) process.send?.(message);
};

let run: CaptureRun | undefined;

async function capture(input: unknown): Promise<void> {
  run = new CaptureRun(planSchema.parse(input), send);
  send(await run.toEnd());
}

async function recoverPrimary(message: Extract<ToEngine, { type: 'recover' }>): Promise<void> {
  try {
    send({ type: 'recovered', report: await recover(message.target), error: undefined });
  } catch (error) {
    const report = { cleared: [], inDoubt: [], running: [] };
    send({ type: 'recovered', report, error: asDpcapError(error).toJSON() });
  }
}

async function handle(message: ToEngine): Promise<void> {
  if (message.type === 'stop') return run?.stop(message.reason);
  if (message.type === 'report') return run?.report();
  await (message.type === 'capture' ? capture(message.plan) : recoverPrimary(message));
  await flushed();
  if (process.connected) process.disconnect?.();
  process.exit(0); // EAL's own threads do not keep the process alive, but libuv's handles might
}

/** Resolves when what was sent has left this process. */
async function flushed(): Promise<void> {
  while (process.connected && (process.channel as unknown as { writeQueueSize?: number })?.writeQueueSize)
    await sleep(5);
}

function stopFor(reason: StopReason): () => void {
  return () => {
    if (run) run.stop(reason);
    else process.exit(1);
  };
}

// Makes a pipe that is ours alone not block: nothing that a library prints may hold up who takes packets.
process.stderr.on('error', () => {});
binding().dieWithParent(constants.signals.SIGTERM);
process.on('message', (message: ToEngine) => void handle(message));
process.on('disconnect', stopFor('supervisor gone'));
// Ctrl-C reaches the whole process group; the supervisor hears it too and decides.
for (const signal of endingSignals()) process.on(signal, stopFor('signal'));
send({ type: 'ready' });
