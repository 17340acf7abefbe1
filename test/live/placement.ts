/** The threads that handle packets leave the primary's polling cores alone. */
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { parseCpuList } from '../../src/supervisor/cpu-topology.js';
import { enginePid, requirements, startCapture, startTestpmd } from '../harness/index.js';

const missing = requirements({ hugepagesMb: 256 });
const skip = missing || (availableParallelism() < 2 && 'there is one CPU only');

/** CPUs of the threads of this name, one list each. */
function cpusOf(pid: number, name: RegExp): number[][] {
  return readdirSync(`/proc/${pid}/task`).flatMap((id) => {
    const status = readFileSync(`/proc/${pid}/task/${id}/status`, 'utf8');
    const [, list = ''] = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status) ?? [];
    return name.test(/^Name:\s*(\S+)$/m.exec(status)?.[1] ?? '') ? [parseCpuList(list)] : [];
  });
}

t.test('drain and writer keep off the polling cores', { skip }, async (t) => {
  const testpmd = await startTestpmd({ vdevs: ['net_null0'] });
  t.teardown(() => testpmd.stop());
  await testpmd.command('start');
  const running = startCapture(testpmd, ['-i', '0', '-s', '64', '-w', join(t.testdir(), 'x.pcap')]);
  await running.written(1);
  const [polling] = cpusOf(testpmd.pid, /^(lcore-worker|rte-worker|dpdk-worker)/);
  const threads = cpusOf(enginePid(running.pid), /^dpcap-(drain|writer)$/);
  t.equal(polling?.length, 1, 'the polling thread has one CPU');
  t.equal(threads.length, 2);
  for (const cpus of threads)
    t.ok(cpus.length > 0 && !cpus.includes(polling?.[0] as number), `${cpus}, not ${polling}`);
  await running.stop();
});
