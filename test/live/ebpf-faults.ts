/** Engines that capture by probes and are killed at each point of their life: the kernel takes all of it out. */
import t from 'tap';
import { EBPF_POINTS, faultAt, startCaptureIn } from '../harness/fault.js';
import { isForwarding, isThroughAgent, isUnharmed, remember, requirements, underLoad } from '../harness/index.js';
import { lacksProbes, probesOf } from '../harness/probes.js';

const skip = requirements({ hugepagesMb: 128 }) || lacksProbes() || (isThroughAgent && 'applications have the agent');
const WORDS = ['--via', 'ebpf', '--probe-budget', '100', '-i', 'any', '-w', '/dev/null'];

t.test('an engine that is killed at each point leaves no probe', { skip }, async (t) => {
  const testpmd = await underLoad(t);
  const before = await remember(testpmd);
  for (const point of EBPF_POINTS) {
    const running = startCaptureIn(faultAt(point, 'kill'), testpmd, WORDS);
    if (point === 'ebpf.stopping') {
      await running.started();
      running.process.signal('SIGINT');
    }
    t.match(await running.ended(), { code: 1 }, point);
    t.equal(await probesOf(testpmd.pid), '0 probes; no programs', point);
  }
  await isUnharmed(t, testpmd, before, 'killed');
  await isForwarding(t, testpmd, 'killed');
});
