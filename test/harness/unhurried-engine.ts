/** An engine that never looks by itself: it knows of the end of a capture what the addon tells it, or nothing. */

import { CaptureRun } from '../../src/engine/capture-run.js';
import { Session } from '../../src/engine/session/attachment.js';
import { CriticalSections } from '../../src/protocol/critical-sections.js';
import type { FromEngine, ToEngine } from '../../src/protocol/messages.js';
import { planSchema } from '../../src/protocol/plan.js';

const NEVER_MS = 3_600_000;

const send = (message: FromEngine): unknown => process.send?.(message);

process.on('message', async (message: ToEngine) => {
  if (message.type !== 'capture') return;
  const plan = planSchema.parse(message.plan);
  const session = new Session(plan, new CriticalSections(() => {}));
  const run = new CaptureRun(message.capture, plan, send, session, NEVER_MS);
  process.on('disconnect', () => run.stop('supervisor gone'));
  const done = await run.toEnd();
  process.send?.(done, () => process.exit(0));
});
send({ type: 'ready' });
