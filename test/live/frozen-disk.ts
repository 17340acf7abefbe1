/** A disk that takes no more writes, and lets nobody who writes to it end: the prompt comes back all the same. */
import { join } from 'node:path';
import t from 'tap';
import { freeze, smallExt4 } from '../harness/disks.js';
import {
  enginePid,
  gone,
  isForwarding,
  isUnharmed,
  remember,
  requirements,
  runDpcap,
  startCapture,
  underLoad,
} from '../harness/index.js';
import { answers } from '../harness/primary-answers.js';

const skip = requirements({ hugepagesMb: 256, tools: ['mkfs.ext4', 'fsfreeze'] });
/** dpcap takes a second signal for an impatient one after a second; the supervisor waits three more for its engine. */
const [IMPATIENT_MS, PROMPT_MS] = [1500, 10_000];

t.test('a second Ctrl-C gives the prompt back while the disk is frozen', { skip }, async (t) => {
  const testpmd = await underLoad(t);
  const before = await remember(testpmd);
  const disk = smallExt4(t, 4_000_000);
  const running = startCapture(testpmd, ['-i', '0', '-Q', 'rx', '-s', '64', '-w', join(disk, 'x.pcap')]);
  await running.written(1);
  const engine = enginePid(running.pid);
  const { thaw } = freeze(t, disk);

  running.process.signal('SIGINT');
  await new Promise((resolve) => setTimeout(resolve, IMPATIENT_MS)); // what dpcap measures
  running.process.signal('SIGINT');
  const captured = await running.ended(PROMPT_MS);
  t.match(captured, { code: 1, signal: null, messages: /gave up waiting.*\bdpcap recover/s });
  await answers(t, testpmd, 'given up');

  thaw();
  await gone(engine);
  t.match(await runDpcap(['recover', '--file-prefix', testpmd.prefix]), { code: 0 });
  await isUnharmed(t, testpmd, before, 'recovered');
  await isForwarding(t, testpmd, 'recovered');
});
