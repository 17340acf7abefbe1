/** Applications in which the agent can do nothing: they run as without it, and who looks is told why. */
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { startForwarderIn } from '../harness/agent.js';
import { hasAgentSocket } from '../harness/agent-socket.js';
import {
  bridgeTwoNamespaces,
  isForwarding,
  requirements,
  runDpcap,
  startCapture,
  startTestpmd,
} from '../harness/index.js';
import { startMallocPrimary } from '../harness/malloc-primary.js';
import type { Bridge } from '../harness/netns.js';
import { cannotCopyDpdk, copyLibraries, copyWithout, installedRelease, release } from '../harness/other-dpdk.js';
import type { OwnedPrimary } from '../harness/owned-primary.js';
import { start } from '../harness/processes.js';
import { installedAgent } from '../helpers/native.js';

const skip = requirements({ hugepagesMb: 128 });
const skipCopies = skip || cannotCopyDpdk();

t.test('one with another line of releases', { skip: skipCopies }, async (t) => {
  const libraries = copyLibraries(t.testdir(), release(23, 11, 2));
  const env = { LD_LIBRARY_PATH: libraries, LD_PRELOAD: installedAgent() };
  const testpmd = await startTestpmd({ vdevs: ['net_null0', 'net_null1'], env });
  t.teardown(() => testpmd.stop());
  const ours = installedRelease().text.split('.', 2).join('.');
  const said = new RegExp(
    `dpcap-agent: it does nothing in this process: the agent of DPDK .* in place of that for ${ours}`,
  );
  await testpmd.expect(said, { stream: 'stderr' });
  await testpmd.command('start');
  await isForwarding(t, testpmd, 'with it');
  t.notOk(hasAgentSocket(testpmd.prefix, testpmd.pid));
  t.match(await runDpcap(['agent', 'check', String(testpmd.pid)]), {
    code: 1,
    stdout: /it said why on standard error/,
  });
  t.match(await testpmd.stop(), { code: 0 });
});

t.test('one whose program has DPDK in it, and exports nothing', { skip: skipCopies }, async (t) => {
  const primary = await startMallocPrimary(['net_null0'], [], 'dpdk-static-primary', { LD_PRELOAD: installedAgent() });
  t.teardown(() => primary.stop());
  await primary.forward('on');
  await primary.forwarded(1000);
  t.notOk(hasAgentSocket(primary.prefix, primary.pid));
  t.match(await runDpcap(['agent', 'check', String(primary.pid)]), { code: 1, stdout: /--export-dynamic/ });
  t.match(await primary.stop(), { code: 0 });
});

/** A forwarder between two namespaces that has the agent, and does not export one symbol. */
async function forwarderWithout(t: Test, symbol: string): Promise<{ bridge: Bridge; application: OwnedPrimary }> {
  const bridge = bridgeTwoNamespaces();
  t.teardown(() => bridge.close());
  const program = copyWithout(symbol, 'dpdk-static-forwarder', t.testdir());
  const application = await startForwarderIn(program, bridge.vdevs, { LD_PRELOAD: installedAgent() });
  t.teardown(() => application.stop());
  return { bridge, application };
}

t.test('one that exports less than the agent needs', { skip: skipCopies }, async (t) => {
  const { bridge, application } = await forwarderWithout(t, 'rte_eth_dev_get_mtu');
  await application.process.expect(/it does nothing in this process: it has no rte_eth_dev_get_mtu: .*export/, {
    stream: 'stderr',
  });
  bridge.a.run('ping', ['-c', '1', '-W', '5', bridge.b.address]);
  t.notOk(hasAgentSocket(application.prefix, application.process.pid));
  t.match(await application.stop(), { code: 0 });
});

t.test('one that exports less than mirrors need: captures are had all the same', { skip: skipCopies }, async (t) => {
  const { bridge, application } = await forwarderWithout(t, 'rte_mempool_free');
  const running = startCapture(application, ['-i', '0', '-c', '1', 'icmp', '-w', join(t.testdirName, 'x.pcap')]);
  await running.started();
  bridge.a.run('ping', ['-c', '1', '-W', '5', bridge.b.address]);
  t.match(await running.ended(), { code: 0, final: { packets: 1 } });
  const words = [
    'mirror',
    'set',
    '-i',
    '0',
    '-Q',
    'rx',
    '--to-port',
    '1',
    '--for',
    '5s',
    '--file-prefix',
    application.prefix,
  ];
  t.match(await runDpcap(words), { code: 1, stderr: /cannot mirror\n.*--export-dynamic/ });
  t.match(await application.stop(), { code: 0 });
});

t.test('one without DPDK, which passes it on', async (t) => {
  const shell = start('sh', ['-c', 'echo "$LD_PRELOAD"; grep -c "^Threads:.1$" /proc/$$/status'], {
    env: { LD_PRELOAD: installedAgent() },
  });
  t.match(await shell.exited, { code: 0 });
  t.equal(shell.stdout, `${installedAgent()}\n1\n`);
  t.equal(shell.stderr, '');
});
