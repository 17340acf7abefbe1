/** Primaries whose files, huge pages or owner are not where dpcap looks first. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { agentServes } from '../harness/agent-socket.js';
import {
  countPackets,
  requirements,
  runDpcap,
  runDpcapAsNobody,
  start,
  startTestpmd,
  type TestpmdOptions,
} from '../harness/index.js';
import { isInChroot } from '../harness/release.js';
import { installedAgent } from '../helpers/native.js';

const skip = requirements({ tools: ['unshare', 'prlimit'] });
/** There the primary's root is this process's own, and each path leads to both. */
const noMounts = skip || (isInChroot && 'in a chroot mounts are not told apart');
const DPCAP = fileURLToPath(new URL('../../../bin/dpcap.cjs', import.meta.url));
const NULL = { vdevs: ['net_null0'], mbufs: 4096, memoryMb: 32 };

type Test = { teardown(undo: () => unknown): void };

/** A short path: sockets lie below it. */
function shortDir(t: Test): string {
  const dir = mkdtempSync(join(tmpdir(), 'dpcap-elsewhere-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

async function primary(t: Test, options: Partial<TestpmdOptions> = {}) {
  const testpmd = await startTestpmd({ ...NULL, ...options });
  t.teardown(() => testpmd.stop());
  return testpmd;
}

t.test("in a service's RuntimeDirectory=", { skip }, async (t) => {
  const directory = shortDir(t);
  const testpmd = await primary(t, { env: { RUNTIME_DIRECTORY: directory } });
  const { prefix, pid } = testpmd;
  const listed = await runDpcap(['list', '--file-prefix', prefix]);
  t.match(listed.stdout, new RegExp(`^${prefix} +${pid} +dpdk-testpmd .* yes$`, 'm'));
  t.match(listed.stdout, `files in ${directory}/dpdk/${prefix} (its RUNTIME_DIRECTORY=${directory})`);
  t.match(listed.stdout, /port 0 +net_null0/, 'its telemetry is found, too');

  await testpmd.command('start');
  const file = join(directory, 'x.pcap');
  const captured = await runDpcap(['--file-prefix', prefix, '-i', '0', '-Q', 'rx', '-c', '20', '-w', file]);
  t.equal(captured.code, 0, captured.stderr);
  t.equal(countPackets(file), 20);
  const recovered = await runDpcap(['recover', '--file-prefix', prefix]);
  t.match(recovered, { code: 0, stdout: `${prefix}: nothing to clear` }, recovered.stderr);
});

t.test('in another mount namespace, as in a container', { skip: noMounts }, async (t) => {
  const directory = shortDir(t);
  const within = ['unshare', '--mount', 'sh', '-c', `mount -t tmpfs none ${directory} && exec "$@"`, 'sh'];
  const { prefix, pid } = await primary(t, { within, env: { RUNTIME_DIRECTORY: directory } });
  const why = `its files are in another mount namespace (${directory}/dpdk/${prefix} there)`;
  const listed = await runDpcap(['list', '--file-prefix', prefix]);
  t.match(listed.stdout, new RegExp(`^${prefix} +${pid} +dpdk-testpmd .* no(, but with --via ebpf)?$`, 'm'));
  t.match(listed.stdout, why);
  const captured = await runDpcap(['--file-prefix', prefix, '-i', '0', '-w', '/dev/null']);
  t.match(captured, { code: 1, stderr: `nsenter --target ${pid} --mount --pid dpcap` });
  t.match(captured.stderr, why);
  const doctor = await runDpcap(['doctor', '--file-prefix', prefix]);
  t.match(doctor.stdout, new RegExp(`: agent +none; it can get one while it runs: dpcap agent inject ${pid}$`, 'm'));
});

t.test('an agent that is not where dpcap looks first', { skip }, async (t) => {
  const directory = shortDir(t);
  const { prefix, pid } = await primary(t, { env: { RUNTIME_DIRECTORY: directory, LD_PRELOAD: installedAgent() } });
  await agentServes(prefix, pid, join(directory, 'dpdk'));
  const way = `RUNTIME_DIRECTORY=${directory} dpcap --file-prefix ${prefix} -i any`;
  const doctor = await runDpcap(['doctor', '--file-prefix', prefix]);
  t.match(doctor.stdout, new RegExp(`: agent +answers in pid ${pid},.*; capture: ${way}$`, 'm'));
  t.match(await runDpcap(['agent', 'inject', String(pid)]), { code: 0, stdout: new RegExp(`  capture: ${way}\\n`) });
});

t.test('huge pages that are mounted in its mount namespace only', { skip: noMounts }, async (t) => {
  const pages = join(shortDir(t), 'pages');
  mkdirSync(pages);
  const mount = `mount -t hugetlbfs -o pagesize=2M none ${pages} && exec "$@"`;
  const within = ['unshare', '--mount', 'sh', '-c', mount, 'sh'];
  const { prefix } = await primary(t, { within, eal: ['--huge-dir', pages] });
  const { code, stderr } = await runDpcap(['--file-prefix', prefix, '-i', '0', '-w', '/dev/null']);
  t.equal(code, 1);
  t.match(stderr, `its huge pages are in ${pages}, which is mounted in its own mount namespace only`);
  t.match(stderr, /nsenter --target \d+ --mount --pid dpcap/);
  t.notMatch(stderr, /EAL/, 'nothing was tried in vain');
  const doctor = await runDpcap(['doctor', '--file-prefix', prefix]);
  t.match(doctor, { code: 1, stdout: /fail .*: capturable +its huge pages are in/ });
});

t.test('a limit of open files that is too low', { skip }, async (t) => {
  const { prefix } = await primary(t, { memoryMb: 64 });
  const words = ['--file-prefix', prefix, '-i', '0', '-w', '/dev/null'];
  const dpcap = start('prlimit', ['--nofile=128:128', process.execPath, DPCAP, ...words]);
  dpcap.closeStdin();
  const { code, stderr } = await dpcap.wait();
  t.equal(code, 1);
  t.match(stderr, /joining it takes \d+ open files, one for each of its 32 files of huge pages, and the limit is 128/);
  t.match(stderr, /ulimit -Hn \d+/);
  const soft = start('prlimit', ['--nofile=128:4096', process.execPath, DPCAP, ...words, '-a', 'duration:0.1']);
  soft.closeStdin();
  t.equal((await soft.wait()).code, 0, 'a soft limit is raised');
});

t.test("another user's primary runs, whatever an ordinary user may see of it", { skip }, async (t) => {
  const { prefix, pid } = await primary(t);
  const belongs = `it runs (dpdk-testpmd, pid ${pid}), but belongs to root`;
  const captured = await runDpcapAsNobody(['--file-prefix', prefix, '-i', '0', '-w', '/dev/null'], 'A=b');
  t.equal(captured.code, 1);
  t.match(captured.stderr, `cannot look at the primary ${prefix}: ${belongs}`);
  t.match(captured.stderr, /run dpcap as the user that runs the DPDK application/);
  t.match((await runDpcapAsNobody(['list'], 'A=b')).stdout, belongs);
});
