/**
 * Captures by probes, and has engines killed at any moment, again and again, beside a primary at full load: `npm run
 * test:ebpf-rounds -- [--rounds N] [--kills N]`. The application has to go on as it was, with its threads, descriptors, memory
 * and packets; and the kernel has to have no probe in it, and no program or link of dpcap's that was not there before.
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { probesOf } from '../test/harness/probes.js';
import { Rounds } from '../test/harness/rounds.js';
import { startTestpmd } from '../test/harness/testpmd.js';

const ENGINE = fileURLToPath(new URL('../test/harness/ebpf-engine.js', import.meta.url));
/** Longer than an engine takes until it captures. */
const MOST_MS = 1000;

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '1000' }, kills: { type: 'string', default: '200' } },
});

const testpmd = await startTestpmd({ vdevs: ['net_null0', 'net_null1'] });
try {
  await testpmd.command('start');
  const subject = { testpmd, engine: ENGINE, words: [testpmd.prefix], beside: () => probesOf(testpmd.pid) };
  const beside = await Rounds.begin(subject);
  await beside.startAndStop(Number(values.rounds));
  await beside.kill(Number(values.kills), MOST_MS);
  process.exitCode = beside.end();
} finally {
  await testpmd.stop();
}
