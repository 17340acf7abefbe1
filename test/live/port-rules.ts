/** -s and -f behind -i are for that port alone: each way into an application keeps them apart, and the file tells. */
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { startWithAgent } from '../harness/agent.js';
import {
  balances,
  isThroughAgent,
  requirements,
  run,
  startCapture,
  startTestpmd,
  type Testpmd,
  tsharkFields,
} from '../harness/index.js';
import { lacksProbes } from '../harness/probes.js';

const skip = requirements({ hugepagesMb: 256 });
const PORTS = {
  vdevs: ['net_null0,no-rx=1', 'net_null1,no-rx=1', 'net_null2,no-rx=1'],
  args: ['--port-topology=loop'],
};
const SENT = 320;

/** Packets of UDP pass all three ports. */
async function isApart(t: Test, testpmd: Testpmd, words: string[]): Promise<void> {
  await testpmd.command('set fwd rxonly');
  await testpmd.command('set txpkts 120');
  const file = join(t.testdir(), 'x.pcapng');
  const rules = ['-s', '100', '-i', '0', '-s', '60', '-i', '1', '-f', 'udp', '-i', '2', '-f', 'tcp'];
  const running = startCapture(testpmd, [...words, '-Q', 'tx', ...rules, '-w', file]);
  await running.started();
  await testpmd.command('start tx_first 10');
  await testpmd.command('stop');
  await running.written(2 * SENT);
  const captured = await running.stop();
  balances(t, captured);
  t.match(captured.final?.ports, [
    { port: 0, written: SENT, filtered: 0 },
    { port: 1, written: SENT, filtered: 0 },
    { port: 2, written: 0, filtered: SENT },
  ]);
  const kinds = new Set(tsharkFields(file, ['frame.interface_id', 'frame.cap_len', 'frame.len']).map(String));
  t.same([...kinds].sort(), ['0,60,120', '1,100,120']);
  const [first, second, third] = run('capinfos', [file])
    .split(/^Interface #\d/m)
    .slice(1);
  t.match(first, /Capture length = 60\b/);
  t.notMatch(first, /Filter string/);
  t.match(second, /Capture length = 100\b[\s\S]*Filter string = udp/);
  t.match(third, /Capture length = 100\b[\s\S]*Filter string = tcp/);
}

t.test('through pdump', { skip: skip || (isThroughAgent && 'applications have the agent') }, async (t) => {
  const testpmd = await startTestpmd(PORTS);
  t.teardown(() => testpmd.stop());
  await isApart(t, testpmd, ['--via', 'pdump']);
});

t.test('through the agent', { skip }, async (t) => {
  const testpmd = await startWithAgent('-d', PORTS);
  t.teardown(() => testpmd.stop());
  await isApart(t, testpmd, ['--via', 'agent']);
});

t.test('by probes', { skip: skip || lacksProbes() || isThroughAgent }, async (t) => {
  const testpmd = await startTestpmd(PORTS);
  t.teardown(() => testpmd.stop());
  await isApart(t, testpmd, ['--via', 'ebpf']);
});
