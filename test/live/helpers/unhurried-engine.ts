/** An engine that never looks by itself: it knows of the end of a capture what the addon tells it, or nothing. */
import { CaptureRun } from '../../../src/capture/capture-run.js';
import { CriticalSections } from '../../../src/capture/critical-sections.js';
import type { FromEngine, ToEngine } from '../../../src/capture/messages.js';
import { planSchema } from '../../../src/capture/plan.js';
import { Session } from '../../../src/capture/session.js';

const NEVER_MS = 3_600_000;

const send = (message: FromEngine): unknown => process.send?.(message);

process.on('message', async (message: ToEngine) => {
  if (message.type !== 'capture') return;
  const plan = planSchema.parse(message.plan);
  const session = new Session(plan, new CriticalSections(() => {}));
  const run = new CaptureRun(plan, send, session, NEVER_MS);
  process.on('disconnect', () => run.stop('supervisor gone'));
  const done = await run.toEnd();
  process.send?.(done, () => process.exit(0));
});
send({ type: 'ready' });
