/** Processes into which the agent must not, or cannot, be brought: each is refused by name, and goes on as it was. */
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { readProcess } from '../../src/system/process.js';
import { built, isMissing } from '../harness/built.js';
import {
  capture,
  isForwarding,
  leftovers,
  requirements,
  runDpcap,
  startTestpmd,
  type Testpmd,
  type TestpmdOptions,
} from '../harness/index.js';
import { inject, programBelow, runInject } from '../harness/inject.js';
import { start } from '../harness/processes.js';

const isHere = process.env.DPCAP_TEST_AGENT === '1' && 'each testpmd has the agent already';
const skip = isHere || requirements({ hugepagesMb: 128, tools: ['unshare', 'setpriv'] });
const skipSeccomp = skip || isMissing('seccomp-exec');
const tooOld = !existsSync('/proc/sys/vm/memfd_noexec') && 'this kernel has no vm.memfd_noexec';
const NOBODY = 65534;
const NO_HUGE = ['--no-huge', '--no-shconf', '--no-telemetry'];
/** The kernel makes none inside a chroot (user_namespaces(7)). */
function noUserNamespace(): string | false {
  const { status } = spawnSync('unshare', ['--user', '--map-root-user', 'true']);
  return status !== 0 && 'no user namespace can be made here';
}

/** Number of memfd_create(2) on this machine. */
const MEMFD_CREATE = process.arch === 'x64' ? '319' : '279';

async function forwarding(t: Test, options: Partial<TestpmdOptions>): Promise<Testpmd> {
  const testpmd = await startTestpmd({ vdevs: ['net_null0', 'net_null1'], ...options });
  t.teardown(() => testpmd.stop());
  await testpmd.command('start');
  return testpmd;
}

t.test('one that has ended, which nobody has waited for', async (t) => {
  const parent = start('bash', ['-c', '{ read -r; } <&0 & echo $!; exec sleep 60']);
  t.teardown(() => parent.signal('SIGKILL'));
  const [, pid] = await parent.expect(/^(\d+)$/m);
  while (readProcess(parent.pid)?.program !== 'sleep') await delay(5); // the shell would have waited for it
  parent.closeStdin();
  while (!/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'))) await delay(5);
  t.match(await runInject(Number(pid)), { code: 1, stderr: /has ended, and waits for its parent \(ESRCH\)\n/ });
});

t.test('a program of 32 bits', async (t) => {
  const file = join(t.testdir(), 'thirty-two');
  writeFileSync(file, program32());
  chmodSync(file, 0o755);
  const running = start(file, []);
  t.teardown(() => running.signal('SIGKILL'));
  if (!running.alive()) return void t.comment('this kernel runs no program of 32 bits');
  t.match(await runInject(running.pid), { code: 1, stderr: /is a program of 32 bits \(ENOEXEC\)\n/ });
  t.ok(running.alive());
});

/** A program for the i386 that sleeps for ever: an ELF header, one segment, `mov $29, %eax; int $0x80; jmp` (pause). */
function program32(): Uint8Array {
  const base = 0x8048000;
  const code = Buffer.from([0xb8, 29, 0, 0, 0, 0xcd, 0x80, 0xeb, 0xf7]);
  const image = Buffer.alloc(84 + code.length);
  image.write('\x7fELF\x01\x01\x01', 'latin1');
  const header: [number, number][] = [
    [16, 2],
    [18, 3],
    [40, 52],
    [42, 32],
    [44, 1],
  ]; // executable, i386, sizes, one segment
  for (const [at, value] of header) image.writeUInt16LE(value, at);
  const words: [number, number][] = [
    [20, 1],
    [24, base + 84],
    [28, 52],
  ]; // version, entry, where the segments are told
  const segment: [number, number][] = [
    [52, 1],
    [60, base],
    [64, base],
    [68, image.length],
    [72, image.length],
    [76, 5],
  ];
  for (const [at, value] of [...words, ...segment]) image.writeUInt32LE(value, at);
  code.copy(image, 84);
  return image;
}

t.test('one with a filter of system calls', { skip: skipSeccomp }, async (t) => {
  const testpmd = await forwarding(t, { within: [built('seccomp-exec'), '-1'] });
  const pid = programBelow(testpmd.pid, 'dpdk-testpmd');
  t.match(await runInject(pid), { code: 1, stderr: /has a filter of system calls \(seccomp\).*\n.*--despite-seccomp/ });
  await isForwarding(t, testpmd, 'afterwards');
  t.match(await inject(pid, ['--despite-seccomp']), { effect: 'injected' });
  t.match(await capture(testpmd, ['--via', 'agent', '-c', '100', '-w', '/dev/null']), { code: 0 });
  await isForwarding(t, testpmd, 'after a capture');
});

t.test('one whose filter forbids memory files', { skip: skipSeccomp }, async (t) => {
  const testpmd = await forwarding(t, { within: [built('seccomp-exec'), MEMFD_CREATE] });
  t.match(await inject(programBelow(testpmd.pid, 'dpdk-testpmd'), ['--despite-seccomp']), {
    effect: 'injected',
    delivery: 'path',
  });
  const refused = await capture(testpmd, ['--via', 'agent', '-c', '100', '-w', '/dev/null']);
  t.match(refused, { code: 1, stderr: /EPERM/ });
  await isForwarding(t, testpmd, 'afterwards');
});

t.test('one in another user namespace', { skip: skip || noUserNamespace() }, async (t) => {
  const testpmd = await forwarding(t, { within: ['unshare', '--user', '--map-root-user'], eal: NO_HUGE });
  const expected = { code: 1, stderr: /is in another user namespace, .*\(EPERM\)\n.*nsenter/ };
  t.match(await runInject(programBelow(testpmd.pid, 'dpdk-testpmd')), expected);
  await isForwarding(t, testpmd, 'afterwards');
});

t.test(
  'one whose namespace makes no executable file in memory: a loader needs none',
  { skip: skip || tooOld },
  async (t) => {
    const forbid = ['sh', '-c', 'echo 2 > /proc/sys/vm/memfd_noexec && exec "$@"', 'sh'];
    const within = ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc', ...forbid];
    const testpmd = await forwarding(t, { within });
    t.match(await inject(programBelow(testpmd.pid, 'dpdk-testpmd')), { effect: 'injected', delivery: 'memfd' });
    t.match(await capture(testpmd, ['--via', 'agent', '-c', '100', '-w', '/dev/null']), { code: 0 });
    await isForwarding(t, testpmd, 'afterwards');
  },
);

t.test("another user's, from root: it makes a file in memory for it", { skip }, async (t) => {
  const runtime = mkdtempSync('/tmp/dpcap-test-'); // the name of a socket has room for 107 bytes
  t.teardown(() => rmSync(runtime, { recursive: true }));
  chownSync(runtime, NOBODY, NOBODY);
  const within = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];
  const testpmd = await forwarding(t, { within, eal: NO_HUGE, env: { XDG_RUNTIME_DIR: runtime } });
  const pid = programBelow(testpmd.pid, 'dpdk-testpmd');
  t.match(await inject(pid), { effect: 'injected', delivery: 'memfd' });
  t.match(await inject(pid), { effect: 'unchanged' });
  t.match(await runDpcap(['agent', 'check', String(pid)]), { code: 0, stdout: /answers, injected$/m });
  await isForwarding(t, testpmd, 'afterwards');
  await testpmd.stop();
  t.same(leftovers(), []);
});
