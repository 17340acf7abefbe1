/**
 * forward2kni by a virtio-user port: what is said, and done, on kernels without vhost-net; and with a net_tap in the place of
 * such a device, all the rest, up to a tcpdump on the interface.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { interfacesOf } from '../../src/forward2kni/kernel-interfaces.js';
import { hostAddon } from '../../src/native/addons.js';
import { startWithAgent } from '../harness/agent.js';
import { isMissing } from '../harness/built.js';
import {
  forward2kni,
  hasInterface,
  interfaceGone,
  kniName,
  leftovers,
  type Running,
  readPcap,
  recordInterface,
  requirements,
  run,
  startDpcap,
  type Testpmd,
  writePcap,
} from '../harness/index.js';
import { copiesFreed, mirrorsOf, mirrorsUntil } from '../harness/mirrors.js';
import { startVirtioPrimary, type VirtioPrimary } from '../harness/virtio-user.js';
import { ether, ipv4, udp } from '../helpers/frames.js';
import { ownDir } from '../helpers/own-dir.js';

const skip = requirements({ hugepagesMb: 256, tools: ['ip', 'tcpdump'] });
const skipStandIn = skip || isMissing('vhost-stand-in.so');
process.env.XDG_STATE_HOME = ownDir(t);
const VIRTIO = ['--via', 'virtio-user'];
/** Of several lengths, and none is longer than a net_tap takes. */
const FRAMES = Array.from({ length: 300 }, (_, i) =>
  Buffer.from(ether(0x0800, ipv4(17, udp(40000, 80 + (i % 5), Buffer.alloc(10 + ((i * 131) % 1300), i))))),
);

const socketOf = ({ prefix, pid }: Testpmd): string => `/var/run/dpdk/${prefix}/dpcap_agent_${pid}`;

/** Two ports that forward what they replay, once they are told to. */
function replaying(t: Test): Promise<VirtioPrimary> {
  const folder = t.testdir();
  const vdevs = [0, 1].map((port) => {
    const input = join(folder, `${port}.pcap`);
    writePcap(input, port === 0 ? FRAMES : []);
    return `net_pcap${port},rx_pcap=${input},tx_pcap=${join(folder, `sent-${port}.pcap`)}`;
  });
  return startVirtioPrimary(t, { vdevs, args: ['--forward-mode=io'], memoryMb: 128 }, folder);
}

function startForwarding(testpmd: Testpmd, name: string, words: string[] = []): Running {
  const command = ['forward2kni', '0', 'on', ...VIRTIO, '--file-prefix', testpmd.prefix, '--name', name, ...words];
  const running = startDpcap(command);
  running.closeStdin();
  return running;
}

t.test('a kernel without vhost-net', { skip: skip || existsSync('/dev/vhost-net') }, async (t) => {
  const testpmd = await startWithAgent('LD_PRELOAD', { vdevs: ['net_null0', 'net_null1'] });
  t.teardown(() => testpmd.stop());
  t.throws(() => hostAddon().kernelPortAdd(socketOf(testpmd), kniName()), {
    code: 'ERR_SINK_OPEN',
    errno: 'ENOENT',
    subject: '/dev/vhost-net',
  });
  t.throws(() => hostAddon().kernelPortAdd(socketOf(testpmd), 'a,path=/tmp/b'), {
    code: 'ERR_SINK_OPEN',
    errno: 'EINVAL',
  });
  t.match(await forward2kni(testpmd, '0', 'on', [...VIRTIO, '--split', 'direction']), {
    code: 2,
    stderr: /--split does not go with --via virtio-user/,
  });
  const name = kniName();
  const running = startForwarding(testpmd, name);
  await running.expect(/no vhost-net, which virtio-user needs .*: forwarding as with --via tap/);
  await running.expect(new RegExp(`interface ${name}`));
  t.ok(hasInterface(name), 'an interface of dpcap is there instead');
  t.same(await mirrorsOf(testpmd), []);
  t.match(await running.stop(), { code: 0 });
  t.notOk(hasInterface(name));
  const words = [...VIRTIO, '--name', name, '--detach'];
  t.match(
    await forward2kni(testpmd, '0', 'on', words),
    { code: 0, stderr: /no vhost-net, .*: forwarding as with --via tap/, stdout: /by pid \d+; end it with/ },
    'the terminal is told what happens in the background',
  );
  t.match(await forward2kni(testpmd, '0', 'off'), { code: 0 });
  t.notOk(hasInterface(name));
  t.match(await testpmd.stop(), { code: 0 });
});

t.test('from the port to tcpdump, and its end', { skip: skipStandIn }, async (t) => {
  const { testpmd, asked } = await replaying(t);
  const before = await testpmd.snapshot();
  const available = await testpmd.available();
  const name = kniName();
  const running = startForwarding(testpmd, name, ['-Q', 'rx']);
  await running.expect(/port net_pcap0 is forwarded to interface \S+ by virtio-user/);
  t.same(asked(), [`plug net_virtio_user_dpcap1 path=/dev/vhost-net,queues=1,queue_size=1024,iface=${name}`]);
  t.match(run('ip', ['link', 'show', name]), /NOARP,PROMISC,UP.* mtu 9216/);
  t.same(interfacesOf(testpmd.pid), [name], 'it is found among the descriptors of the application');
  const added = hostAddon()
    .agentHello(socketOf(testpmd))
    .ports.find(({ id }) => id === 2);
  t.equal(readFileSync(`/sys/class/net/${name}/address`, 'utf8').trim(), added?.mac, 'and the port by its address');

  const file = join(t.testdirName, 'seen.pcap');
  const tcpdump = await recordInterface(name, file, FRAMES.length);
  await testpmd.command('start');
  t.match(await tcpdump.wait(), { code: 0 });
  const seen = readPcap(file).packets.map(({ data }) => data.toString('hex'));
  t.same(
    seen,
    FRAMES.map((frame) => frame.toString('hex')),
    'byte for byte, in their order',
  );
  await mirrorsUntil(testpmd, ([one]) => one?.counters.sent === FRAMES.length);

  t.match(await forward2kni(testpmd, '0', 'on', VIRTIO), { code: 1, stderr: /already forwarded/ });
  t.match(await forward2kni(testpmd, '0', 'status'), { code: 0, stdout: new RegExp(`forwarded to interface ${name}`) });
  t.match(await forward2kni(testpmd, '0', 'off'), { code: 0, stdout: /is no longer forwarded/ });
  t.match(await running.wait(), { code: 0, stdout: new RegExp(`no longer forwarded: matched ${FRAMES.length}`) });
  t.notOk(hasInterface(name), 'the interface has gone with its port');
  t.equal(asked().at(-1), 'unplug net_virtio_user_dpcap1');
  t.same(await mirrorsOf(testpmd), []);
  await copiesFreed(testpmd);
  await testpmd.command('stop');
  t.same(
    [await testpmd.snapshot(), await testpmd.available()],
    [before, available],
    'nothing is left in the application',
  );
  t.match(await testpmd.stop(), { code: 0 });
  t.same(leftovers(), []);
});

t.test('a forwarder that is killed, at full load', { skip: skipStandIn }, async (t) => {
  const { testpmd } = await startVirtioPrimary(t, { vdevs: ['net_null0', 'net_null1'], memoryMb: 128 });
  await testpmd.command('start');
  const name = kniName();
  const running = startForwarding(testpmd, name);
  await running.expect(/is forwarded to interface/);
  await mirrorsUntil(testpmd, ([one]) => (one?.counters.sent ?? 0) > 10_000);
  running.signal('SIGKILL');
  await interfaceGone(name);
  t.same(await mirrorsOf(testpmd), [], 'its watchdog has ended the mirror, and the agent taken the port away');
  const { txPackets } = await testpmd.forwarding();
  await testpmd.forwarded(txPackets + 100_000);
  t.match(await testpmd.stop(), { code: 0 });
  t.same(leftovers(), []);
});
