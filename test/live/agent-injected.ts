/** What an agent does that was brought into a running application: all that any other does. */
import t from 'tap';
import {
  balances,
  capture,
  isForwarding,
  leftovers,
  requirements,
  runDpcap,
  startDpcap,
  startTestpmd,
} from '../harness/index.js';
import { addsUp, mirrorsOf, setMirror } from '../harness/mirrors.js';
import { boxesOf, removeBoxesAfter } from '../harness/recorder.js';

const isHere = process.env.DPCAP_TEST_AGENT === '1' && 'each testpmd has the agent already';
const skip = isHere || requirements({ hugepagesMb: 128 });

t.test('by the file prefix; then a recorder, a mirror and a capture', { skip }, async (t) => {
  const testpmd = await startTestpmd({ vdevs: ['net_null0', 'net_null1'], args: ['--rxq=1', '--txq=2'] });
  t.teardown(() => testpmd.stop());
  removeBoxesAfter(t, testpmd.prefix);
  await testpmd.command('start');
  const named = ['--file-prefix', testpmd.prefix];
  const injecting = startDpcap(['agent', 'inject', ...named, '--yes', '--json']);
  injecting.closeStdin();
  const { code, stdout } = await injecting.wait();
  t.match({ code, report: JSON.parse(stdout) }, { code: 0, report: { effect: 'injected', pid: testpmd.pid } });

  t.match(await runDpcap(['recorder', 'on', ...named, '--memory', '8M']), { code: 0 });
  const mirror = await setMirror(testpmd, ['-i', '0', '-Q', 'rx', '--to-port', '1']);
  balances(t, await capture(testpmd, ['--via', 'agent', '-i', '0', '-c', '5000', '-w', '/dev/null']));
  t.match(await boxesOf(testpmd.prefix), [{ recording: true, pid: testpmd.pid }]);
  t.match(await runDpcap(['recorder', 'save', ...named, '-w', '/dev/null']), { stderr: /saved [1-9]\d* packets/ });
  t.match(await runDpcap(['recorder', 'off', ...named]), { code: 0 });
  const [seen] = await mirrorsOf(testpmd);
  t.ok(seen && seen.counters.sent > 0 && addsUp(seen), 'the mirror sends');
  t.match(await runDpcap(['mirror', 'clear', ...named, '--id', mirror.id]), { code: 0 });
  await isForwarding(t, testpmd, 'afterwards');
  t.match(await testpmd.stop(), { code: 0 });
  t.same(leftovers(), []);
});
