/** The addon tells the engine when a limit is reached or the output fails: the engine need not look. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { type EnginePlan, planSchema } from '../../src/protocol/plan.js';
import { type Done, Supervisor } from '../../src/supervisor/supervisor.js';
import { createLogger } from '../../src/system/log.js';
import {
  isUnharmed,
  kniName,
  remember,
  requirements,
  run,
  runDpcap,
  type Testpmd,
  underLoad,
} from '../harness/index.js';

const skip = requirements({ hugepagesMb: 256, tools: ['ip'] });
const ENGINE = fileURLToPath(new URL('../harness/unhurried-engine.js', import.meta.url));
const LOG = createLogger('warn', 'test');

async function planned({ prefix }: Testpmd, args: readonly string[]): Promise<EnginePlan> {
  const common = ['--file-prefix', prefix, '-i', '0', '-s', '64', '-B', '16384', '--dry-run'];
  const { stdout } = await runDpcap([...common, ...args]);
  return { ...planSchema.parse(JSON.parse(stdout)), statsIntervalMs: 0 };
}

/** Runs a plan to its end, in an engine that never looks. */
function ending(t: Test, plan: EnginePlan, started = (): void => {}): Promise<Done> {
  const stats = () => t.fail('statistics that nobody wants');
  return new Supervisor(plan, {}, { started, stats, file: () => {}, notice: () => {} }, LOG, ENGINE).run();
}

t.test('limits, and a file that cannot be written', { skip }, async (t) => {
  const testpmd = await underLoad(t, { vdevs: ['net_null0'] });
  const before = await remember(testpmd);
  const file = join(t.testdir(), 'x.pcap');
  for (const [args, reason] of [
    [['-c', '1'], 'packets'],
    [['-c', '100000', '-Q', 'rx'], 'packets'],
    [['-a', 'filesize:100'], 'filesize'],
  ] as const) {
    const done = await ending(t, await planned(testpmd, [...args, '-w', file]));
    t.match(done, { reason, error: undefined }, args.join(' '));
  }
  const full = await ending(t, await planned(testpmd, ['-w', '/dev/full']));
  t.match(full, { reason: 'sink failed', error: { errno: 'ENOSPC' } });
  await isUnharmed(t, testpmd, before, 'told');
});

// The threads that write to an interface have descriptors of their own, in which the call must get through as well.
t.test('an interface that is deleted', { skip }, async (t) => {
  const testpmd = await underLoad(t, { vdevs: ['net_null0'] });
  const before = await remember(testpmd);
  const [rxName, txName] = [kniName(), kniName()];
  const output = { kind: 'tap' as const, rxName, txName, netns: '', mtu: 1500, maxRate: 0, queues: 1 };
  const plan = { ...(await planned(testpmd, ['-w', '/dev/null'])), output };
  const done = await ending(t, plan, () => run('ip', ['link', 'del', txName]));
  t.match(done, { reason: 'sink failed', error: { error: 'ERR_SINK_WRITE' } });
  await isUnharmed(t, testpmd, before, 'interface deleted');
});
