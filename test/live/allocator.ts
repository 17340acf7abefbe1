/** The primary's allocator never waits for a capture longer than 2 ms: not at its start, nor as it grows, nor at its end. */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { startCaptureIn } from './helpers/fault.js';
import { enginePid, requirements } from './helpers/index.js';
import { type AllocatorWaits, type MallocPrimary, startMallocPrimary } from './helpers/malloc-primary.js';
import { continueProcess, stopProcess } from './helpers/stopped.js';

const skip = requirements({ hugepagesMb: 1024 });
const CAPTURES = 20;
const LIMIT_US = 2000;
/** More than the mbufs of a mempool before it grows. */
const PRESSING_PACKETS = 500_000;
const GROWTH_MS = 10_000;

type Phase = 'start' | 'growth' | 'stop';

/** Stops the engine until no mbuf is left, lets it go on, and waits until the mempool grows no more. */
async function grow(primary: MallocPrimary, engine: number): Promise<void> {
  await stopProcess(engine);
  await primary.forwarded(PRESSING_PACKETS);
  continueProcess(engine);
  for (const deadline = performance.now() + GROWTH_MS; isGrowing(engine); await delay(10)) {
    if (performance.now() > deadline) throw new Error(`the mempool grows for more than ${GROWTH_MS} ms`);
  }
}

function isGrowing(engine: number): boolean {
  const task = `/proc/${engine}/task`;
  return readdirSync(task).some((id) => {
    try {
      return readFileSync(`${task}/${id}/comm`, 'latin1') === 'dpcap-pool\n';
    } catch {
      return false; // that thread has ended since
    }
  });
}

/** The longest wait of each phase of one capture. */
async function captureOnce(primary: MallocPrimary): Promise<Record<Phase, AllocatorWaits>> {
  await primary.reset();
  const running = startCaptureIn({}, primary, ['-i', '0', '-Q', 'rx', '-s', '1000', '-w', '/dev/null']);
  await running.started();
  const start = await primary.waits();
  await primary.reset();
  await grow(primary, enginePid(running.pid));
  const growth = await primary.waits();
  await primary.reset();
  const { code, messages } = await running.stop();
  if (code !== 0) throw new Error(messages);
  return { start, growth, stop: await primary.waits() };
}

t.test(`${CAPTURES} captures beside a thread that only allocates and frees`, { skip }, async (t) => {
  const primary = await startMallocPrimary(['net_null0']);
  t.teardown(() => primary.stop());
  await primary.forward('on');
  await primary.reset();
  await primary.forwarded(PRESSING_PACKETS);
  t.comment(`without a capture: ${JSON.stringify(await primary.waits())}`);
  for (let capture = 1; capture <= CAPTURES; capture++) {
    const phases = await captureOnce(primary);
    for (const [phase, { longest, histogram }] of Object.entries(phases)) {
      const what = `${phase} of capture ${capture}: ${longest.waitUs} us`;
      t.ok(longest.waitUs < LIMIT_US, what, { longest, histogram });
    }
  }
  t.ok(primary.alive(), 'the primary lives');
});
