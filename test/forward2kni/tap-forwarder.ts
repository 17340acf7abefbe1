/** The forwarder's own part: the plan, the state file, the exit code. What runs the plan is a stand-in. */
import t, { type Test } from 'tap';
import { checkOptions } from '../../src/cli/capture-options.js';
import { ForwarderStates } from '../../src/forward2kni/state.js';
import { forward, type TapForward } from '../../src/forward2kni/tap-forwarder.js';
import type { EnginePlan } from '../../src/protocol/plan.js';
import type { runInForeground } from '../../src/supervisor/foreground.js';
import type { Reporter } from '../../src/supervisor/report/reporter.js';
import type { StatsRecord } from '../../src/supervisor/report/stats-record.js';
import type { Done } from '../../src/supervisor/supervisor.js';
import { diagnostics } from '../../src/system/diagnostics.js';
import { createLogger } from '../../src/system/log.js';
import { ownDir } from '../helpers/own-dir.js';

const PRIMARY = { filePrefix: 'rte', runtimeDir: '/run/dpdk/rte', pid: 7 };
const LANE = { accepted: 9, filtered: 2, nombuf: 1, ringfull: 0, written: 6, sinkdrop: 3, surplus: 0 };
const RECORD = { packets: 6, bytes: 600, ports: [{ port: 0, name: 'p', queue: 0, direction: 'rx', ...LANE }] };

const request = (): TapForward => ({
  picked: {
    primary: PRIMARY,
    name: 'testpmd',
    ports: undefined,
    maxFrame: undefined,
  } as unknown as TapForward['picked'],
  port: { id: 0, name: 'net_null0' },
  names: { rx: 'a', tx: 'a' },
  netns: '',
  maxRate: 5,
  threads: 2,
  options: { ...checkOptions({ interface: ['net_null0'], stats: 'none' }), durationMs: 1000 },
  filter: undefined,
});

type Run = (plan: EnginePlan, about: { output: string }, reporter: Reporter) => Promise<Partial<Done>>;

function forwarder(t: Test, run: Run) {
  const states = new ForwarderStates(ownDir(t));
  const log = createLogger('warn', 'test');
  return { states, forward: (wanted = request()) => forward(wanted, log, states, run as typeof runInForeground) };
}

t.test('the plan, and a state while it runs', async (t) => {
  const seen: unknown[] = [];
  const { states, forward } = forwarder(t, async (plan, about, reporter) => {
    seen.push(plan, about, states.running());
    t.ok(reporter.wantsProgress, 'for the state, though nothing is shown');
    reporter.started({} as Parameters<Reporter['started']>[0]);
    seen.push(states.running());
    reporter.progress(RECORD as unknown as StatsRecord);
    seen.push(states.running());
    return {};
  });
  t.equal(await forward(), 0);
  t.match(seen, [
    {
      filePrefix: 'rte',
      ports: ['net_null0'],
      durationMs: 1000,
      threads: 2,
      output: { kind: 'tap', rxName: 'a', txName: 'a', netns: '', mtu: 9216, maxRate: 5, queues: 2 },
    },
    { output: 'interface a' },
    [],
    [{ filePrefix: 'rte', port: { id: 0, name: 'net_null0' }, interfaces: ['a'], packets: 0 }],
    [{ packets: 6, bytes: 600, nombuf: 1, ringfull: 0, sinkdrop: 3, filtered: 2 }],
  ]);
  t.same(states.running(), [], 'no state when it has ended');
});

t.test('two interfaces in a namespace, a primary with larger frames', async (t) => {
  let plan: EnginePlan | undefined;
  let said = '';
  const { forward } = forwarder(t, async (given, about) => {
    [plan, said] = [given, about.output];
    return {};
  });
  const wanted = request();
  await forward({
    ...wanted,
    picked: { ...wanted.picked, maxFrame: 16000 },
    names: { rx: 'a-rx', tx: 'a-tx' },
    netns: 'blue',
  });
  t.match(plan?.output, { rxName: 'a-rx', txName: 'a-tx', netns: 'blue', mtu: 16000 });
  t.equal(said, 'interfaces a-rx and a-tx in namespace blue');
});

t.test('errors before and after it had begun', async (t) => {
  const error = { error: 'ERR_SINK_OPEN' as const, message: 'cannot', exitCode: 1 };
  const before = forwarder(t, async () => ({ error, stats: undefined }));
  await t.rejects(before.forward(), { code: 'ERR_SINK_OPEN' });
  const after = forwarder(t, async () => ({ error, stats: {} as NonNullable<Done['stats']> }));
  const written = t.capture(diagnostics, 'write', () => {});
  t.equal(await after.forward(), 1);
  t.match(
    written().map(({ args }) => args[0]),
    ['dpcap: cannot\n'],
  );
  t.same(after.states.running(), []);
});
