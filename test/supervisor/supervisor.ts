import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { type CaptureEvents, Supervisor } from '../../src/supervisor/supervisor.js';
import { diagnostics } from '../../src/system/diagnostics.js';
import { createLogger } from '../../src/system/log.js';
import { PLAN } from '../engine/helpers/plan.js';

const FAKE = fileURLToPath(new URL('../engine/helpers/fake-engine.js', import.meta.url));
/** A second signal counts as one when it comes so much later. */
const PATIENCE_MS = 1100;
const LOG = createLogger('silent', 'test');

/** A supervisor over the fake engine, which is stopped as soon as it says that it has started. */
function supervise(purpose: string, stopWhenStarted = true): Supervisor {
  const started = (): void => {
    if (stopWhenStarted) supervisor.stop('signal');
  };
  const events: CaptureEvents = { started, stats: () => {}, file: () => {}, notice: () => {} };
  const supervisor = new Supervisor({ ...PLAN, purpose }, {}, events, LOG, FAKE);
  return supervisor;
}

t.test('a capture that is stopped ends with its engine', async (t) => {
  t.match(await supervise('run').run(), { type: 'done', reason: 'signal' });
});

t.test('other addresses are tried when the primary cannot be mapped', async (t) => {
  t.match(await supervise('seed3,run').run(), { reason: 'signal' });
});

t.test('but not for ever', async (t) => {
  t.match(await supervise('seed99').run(), { error: { error: 'ERR_EAL_INIT' } });
});

t.test('a dead engine is cleaned up after, and said to be dead', async (t) => {
  await t.rejects(supervise('die').run(), { code: 'ERR_ENGINE_DIED', message: /SIGKILL/, hint: /was removed/ });
});

t.test('what an engine prints is passed on', async (t) => {
  const written = t.capture(diagnostics, 'write', () => {});
  await supervise('print,run').run();
  t.same(
    written().map(({ args }) => args[0]),
    ['words of a library\n'],
  );
});

t.test('or handed to whoever wants it instead', async (t) => {
  const written = t.capture(diagnostics, 'write', () => {});
  const lines: string[] = [];
  const events: CaptureEvents = {
    started: () => supervisor.stop('signal'),
    stats: () => {},
    file: () => {},
    notice: () => {},
  };
  const descriptors = { printed: (line: string) => lines.push(line) };
  const supervisor = new Supervisor({ ...PLAN, purpose: 'print,run' }, descriptors, events, LOG, FAKE);
  await supervisor.run();
  t.same(lines, ['words of a library']);
  t.same(written(), []);
});

t.test('the engine is told to flush', async (t) => {
  const notices: string[] = [];
  const notice = (text: string): void => {
    notices.push(text);
    supervisor.stop('signal');
  };
  const events: CaptureEvents = { started: () => supervisor.flush(), stats: () => {}, file: () => {}, notice };
  const supervisor = new Supervisor({ ...PLAN, purpose: 'run' }, {}, events, LOG, FAKE);
  await supervisor.run();
  t.same(notices, ['flushed']);
});

t.test('a stop before the engine is ready is not lost', async (t) => {
  const supervisor = supervise('run', false);
  const end = supervisor.run();
  supervisor.stop('signal');
  t.match(await end, { reason: 'signal' });
});

t.test('patience is counted from the first signal, not from another end', async (t) => {
  const events = { started: () => supervisor.stop('stopped'), stats: () => {}, file: () => {}, notice: () => {} };
  const supervisor = new Supervisor({ ...PLAN, purpose: 'stay' }, {}, events, LOG, FAKE);
  const end = supervisor.run();
  await sleep(PATIENCE_MS);
  supervisor.stop('signal');
  const early = Promise.race([end.catch(() => 'given up'), sleep(PATIENCE_MS, 'waits')]);
  t.equal(await early, 'waits', 'the first signal does not give up');
  supervisor.stop('signal');
  // There is no such file, and nobody has looked: the disk may be what is waited for.
  await t.rejects(end, { code: 'ERR_ENGINE_DIED', message: /gave up/, hint: /until then is in x\.pcap\.partial/ });
});
