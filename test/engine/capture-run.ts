/** What ends a capture, and how the engine comes to know. Primary and addon are stand-ins. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { CaptureRun } from '../../src/engine/capture-run.js';
import type { NativeStats } from '../../src/native/capture-binding.js';
import type { FromEngine } from '../../src/protocol/messages.js';
import type { EnginePlan } from '../../src/protocol/plan.js';
import { FakeSession, IDLE } from './helpers/fake-session.js';
import { lane } from './helpers/lane.js';
import { PLAN } from './helpers/plan.js';

/** Longer than any test may take: what ends a capture before is not the look at it. */
const NEVER_MS = 3_600_000;
const QUIET: EnginePlan = {
  ...PLAN,
  primaryPid: undefined,
  output: { kind: 'fd', fd: 1, name: 'standard output' },
  statsIntervalMs: 0,
};

/** A capture that goes by what it is told alone, unless `lookMs` says otherwise. */
function begin(plan: Partial<EnginePlan> = {}, lookMs = NEVER_MS) {
  const session = new FakeSession();
  const sent: FromEngine[] = [];
  const run = new CaptureRun(0, { ...QUIET, ...plan }, (message) => sent.push(message), session, lookMs);
  return { session, sent, run, end: run.toEnd() };
}

/** The addon notices something while the engine sleeps. */
async function happens(session: FakeSession, change: Partial<NativeStats>): Promise<void> {
  const notify = await session.started;
  await new Promise(setImmediate);
  session.stats = { ...IDLE, ...change };
  notify();
}

const reports = (sent: FromEngine[]): number => sent.filter(({ type }) => type === 'stats').length;

t.test('what the addon tells ends the capture, without a look', async (t) => {
  const cases: [change: Partial<NativeStats>, plan: Partial<EnginePlan>, reason: string, error?: string][] = [
    [{ limitReached: true }, { packetLimit: 1 }, 'packets'],
    [{ limitReached: true }, { byteLimit: 1000 }, 'filesize'],
    [{ limitReached: true, sinkNews: ['low'] }, { minFree: 1000 }, 'disk space'],
    [{ sinkFailure: 'EPIPE' }, {}, 'reader closed'],
    [{ sinkFailure: 'ENOSPC' }, {}, 'sink failed', 'ERR_SINK_WRITE'],
  ];
  for (const [change, plan, reason, error] of cases) {
    const { session, sent, end } = begin(plan);
    await happens(session, change);
    const done = await end;
    t.equal(done.reason, reason);
    t.equal(done.error?.error, error, `${reason}: ${error ?? 'no error'}`);
    t.equal(reports(sent), 0, 'and nobody hears of statistics that nobody wants');
  }
});

t.test('the end of the primary ends the capture, without a look', async (t) => {
  const { session, end } = begin();
  await session.started;
  await new Promise(setImmediate);
  session.die();
  t.match(await end, { reason: 'primary gone', error: { error: 'ERR_PRIMARY_GONE' } });
});

t.test('what it tells before anybody waits is not lost', async (t) => {
  const { session, end } = begin({ packetLimit: 1 });
  session.onStart = (notify) => {
    session.stats = { ...IDLE, limitReached: true };
    notify();
  };
  t.match(await end, { reason: 'packets' });
});

t.test('a call about nothing changes nothing, and one after the end neither', async (t) => {
  const { session, run, end } = begin();
  await happens(session, {});
  await new Promise(setImmediate);
  run.stop('signal');
  t.match(await end, { reason: 'signal' });
  (await session.started)();
});

t.test('a start that fails takes nothing away from a file that is written in place', async (t) => {
  const path = join(t.testdir({ 'x.pcap': 'an older capture' }), 'x.pcap');
  const output = { kind: 'file', path } as const;
  t.match(await begin({ output, ports: ['7'] }).end, { reason: 'error', error: { subject: '7' } });
  t.equal(readFileSync(path, 'utf8'), 'an older capture');
  const { session, run, end } = begin({ output });
  await session.started;
  t.equal(readFileSync(path, 'utf8'), '', 'one that succeeds does');
  run.stop('signal');
  await end;
});

t.test('what is asked of it goes to the addon while packets flow, and is nothing before and after', async (t) => {
  const { session, run, end } = begin();
  run.flush();
  await session.started;
  await new Promise(setImmediate);
  run.flush();
  run.stop('signal');
  await end;
  run.flush();
  t.same(session.captures.flushed, [0]);
});

/** Only a look finds these. */
async function looksFor(t: Test, what: string, find: (session: FakeSession) => void, expected: object): Promise<void> {
  const { session, sent, end } = begin({}, 5);
  await session.started;
  find(session);
  t.match(await end, expected, what);
  t.equal(reports(sent), 0);
}

t.test('looked for', async (t) => {
  const gone = (session: FakeSession): void => {
    session.alive = false;
  };
  await looksFor(t, 'the primary', gone, { reason: 'primary gone', error: { error: 'ERR_PRIMARY_GONE' } });

  // Copies fail, and more of them at each look, although no mbuf is in use.
  let nombuf = 0n;
  const failing = (session: FakeSession): void => {
    const lane = { ...(IDLE.lanes[0] as NativeStats['lanes'][0]) };
    session.addon.captureStats = () => ({ ...IDLE, lanes: [{ ...lane, nombuf: nombuf++ }] });
  };
  const { session, sent, run, end } = begin({}, 5);
  await session.started;
  failing(session);
  const told = (): boolean =>
    sent.some((message) => message.type === 'notice' && /cannot be copied/.test(message.text));
  while (!told()) await new Promise(setImmediate);
  run.stop('signal');
  t.match(await end, { reason: 'signal', error: undefined }, 'copies that fail are told, and end nothing');
});

t.test('lanes whose port or queue goes are told; when none is left it ends', async (t) => {
  const { session, sent, end } = begin({}, 5);
  await session.started;
  session.stats = { ...IDLE, lanes: [lane({ state: 'port gone' })] };
  t.match(await end, { reason: 'ports gone', error: { error: 'ERR_PORT_GONE' } });
  t.match(
    sent.filter(({ type }) => type === 'notice'),
    [{ text: /net_null0 queue 0 rx is no longer captured: its port/ }],
  );
});

t.test('statistics come at their own interval, whether it is shorter than that of the looks or longer', async (t) => {
  for (const lookMs of [NEVER_MS, 3]) {
    const session = new FakeSession();
    const seen = { reports: 0 };
    const send = ({ type }: FromEngine): void => {
      if (type === 'stats' && ++seen.reports === 3) run.stop('signal');
    };
    const run = new CaptureRun(0, { ...QUIET, statsIntervalMs: 10 }, send, session, lookMs);
    const began = performance.now();
    await run.toEnd();
    t.equal(seen.reports, 3);
    t.ok(performance.now() - began >= 25, 'no sooner');
  }
});

t.test('whom the primary waits for at the end is named while the callbacks are disabled, not afterwards', async (t) => {
  const { session, sent, run, end } = begin();
  const named = (): boolean => sent.some((one) => one.type === 'notice' && one.text === 'app is stopped at 2 requests');
  session.delays = 'app is stopped';
  session.addon.disableCapture = async () => {
    while (!named()) await new Promise(setImmediate);
    return [];
  };
  await session.started;
  run.stop('signal');
  t.match(await end, { reason: 'signal', error: undefined });
});

t.test('nothing is asked of those who share the memory of a primary that is gone', async (t) => {
  const { session, sent, end } = begin();
  session.delays = 'app is stopped';
  await session.started;
  session.die();
  await end;
  t.notOk(sent.some(({ type }) => type === 'notice'));
});
