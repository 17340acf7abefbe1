/** Mirrors in hardware: what a driver is asked, by a stand-in that takes rules; what real drivers without flow rules say. */
import t from 'tap';
import { hostAddon } from '../../src/native/addons.js';
import { startWithAgent } from '../harness/agent.js';
import { isMissing } from '../harness/built.js';
import { type SeenFlow, setFlow, startFlowPrimary } from '../harness/flows.js';
import { gone, isForwarding, leftovers, requirements, runDpcap, startDpcap, type Testpmd } from '../harness/index.js';
import { mirrorsOf, mirrorsUntil } from '../harness/mirrors.js';
import { uniqueInterface } from '../harness/owned.js';
import { ownDir } from '../helpers/own-dir.js';

const skip = requirements({ hugepagesMb: 192 }) || isMissing('flow-recorder.so');
const LEASE = ['--lease', '5m'];

const flowsOf = async (testpmd: Testpmd): Promise<SeenFlow[]> => (await mirrorsOf(testpmd)) as unknown as SeenFlow[];

/** An item as the stand-in writes it: the bytes of what rte_flow.h declares for 22.11 to 25.11. */
const item = (name: string, spec: string, mask: string): string => ` | ${name} spec=${spec} mask=${mask}`;
const bytes = (count: number, at: Record<number, string>): string => {
  const all = Array.from({ length: count }, () => '00');
  for (const [first, text] of Object.entries(at))
    for (const [i, byte] of (text.match(/../g) ?? []).entries()) all[Number(first) + i] = byte;
  return all.join('');
};
/** Destination, source and type; then the flag for a tag. */
const eth = (spec: Record<number, string>, mask: Record<number, string>): string =>
  item('eth', bytes(20, spec), bytes(20, mask));
const represented = (port: string): string => item('represented_port', port, 'ffff');
const FULL_IPV4 = 'ffffffff';

t.test('rules of the embedded switch, from the words to their end', { skip }, async (t) => {
  const { testpmd, asked } = await startFlowPrimary(t);
  const words = ['-i', '1', '--dst-host', '192.0.2.1', '--proto', 'tcp', '--dst-port', '80', '--vlan', '100,102'];
  const done = await setFlow(testpmd, [...words, '--to-port', '2', '--fate', 'port:3', '--count', '--json', ...LEASE]);
  t.match(done, { code: 0 }, done.stderr);
  const rule = (vlan: string): string =>
    [
      'transfer group 0 priority 0',
      represented('0100'),
      ' | eth',
      item('vlan', bytes(8, { 0: vlan }), bytes(8, { 0: '0fff' })),
      item('ipv4', bytes(20, { 16: 'c0000201' }), bytes(20, { 16: FULL_IPV4 })),
      item('tcp', bytes(20, { 2: '0050' }), bytes(20, { 2: 'ffff' })),
      ' > sample 1 [ > represented_port 2 ] > count > represented_port 3',
    ].join('');
  const rules = [rule('0064'), rule('0066')];
  t.same(
    asked('validate', 'create'),
    [...rules.map((one) => `validate 0 ${one}`), ...rules.map((one) => `create 0 ${one}`)],
    'all are validated before the first is made, at the port that has the right to',
  );
  t.match(JSON.parse(done.stdout), {
    mirror: { state: 'on', rules: 2, isTransfer: true, proxyPort: 0, sourcePort: 1, fate: { kind: 'port', value: 3 } },
    rules: [
      'set sample_actions 0 represented_port ethdev_port_id 2 / end',
      'flow create 1 transfer pattern represented_port ethdev_port_id is 1 / eth / vlan vid is 100 / ipv4 dst is 192.0.2.1 / tcp dst is 80 / end actions sample ratio 1 index 0 / count / represented_port ethdev_port_id 3 / end',
      /vid is 102/,
    ],
  });
  t.match(await flowsOf(testpmd), [{ state: 'on', counters: { packets: 300, bytes: 19200 } }], 'the sum of both rules');
  const socket = `/var/run/dpdk/${testpmd.prefix}/dpdk_telemetry.v2`;
  const told = Object.values(JSON.parse(hostAddon().telemetry(socket, '/dpcap/mirrors', 2000))['/dpcap/mirrors']);
  t.match(told, [{ way: 'hardware', state: 'on', source_port: 1, rule_port: 0, rules: 2 }], 'telemetry tells of it');
  t.notMatch(told, [{ packets: Number }], 'but not of what the driver counts');
  const list = await runDpcap(['mirror', 'status', '--via', 'agent', '--file-prefix', testpmd.prefix]);
  t.match(list.stdout, /in hardware to port 2 \(net_null2\); the originals go to port 3 \(net_null3\); on, of process/);
  t.match(list.stdout, /2 transfer rules at port 0: .*matched 300 packets, 19200 bytes/s);

  const cleared = await runDpcap(['mirror', 'clear', '-i', '1', '--file-prefix', testpmd.prefix]);
  t.match(cleared, { code: 0, stdout: /cleared mirror [0-9a-f]{8}: matched 300 packets/ });
  t.same(asked('destroy'), ['destroy 0 rule 2', 'destroy 0 rule 1'], 'the last first, and no others');
  t.same(await flowsOf(testpmd), []);
  t.match(await testpmd.stop(), { code: 0 });
  t.same(leftovers(), []);
});

t.test('ingress rules to a queue', { skip }, async (t) => {
  const { testpmd, asked } = await startFlowPrimary(t);
  const words = ['-i', '1', '--net', '2001:db8::/32', '--proto', 'icmp6', 'ether src host 02:00:00:00:00:0f'];
  const to = ['--to-queue', '1', '--fate', 'queue:0', '--ratio', '10', '--vlan', 'none'];
  t.match(await setFlow(testpmd, [...words, ...to, ...LEASE]), { code: 0 });
  const mac = eth({ 6: '02000000000f' }, { 6: 'ffffffffffff', 14: '01' });
  const ip = (side: number): string =>
    item('ipv6', bytes(40, { 6: '3a', [side]: '20010db8' }), bytes(40, { 6: 'ff', [side]: 'ffffffff' }));
  // The item of IPv6 has flags behind the header, of which none is asked for.
  const short = (line: string): string => line.replace(/(ipv6 spec=.{80})0*( mask=.{80})0*/, '$1$2');
  t.same(
    asked('create').map(short),
    [8, 24].map((side) => `create 1 ingress group 0 priority 0${mac}${ip(side)} > sample 10 [ > queue 1 ] > queue 0`),
  );
  t.match(await testpmd.stop(), { code: 0 });
});

t.test('only asked', { skip }, async (t) => {
  const { testpmd, asked } = await startFlowPrimary(t);
  const done = await setFlow(testpmd, ['-i', '0', '--to-port', '2', '--fate', 'jump:1', '--dry-run']);
  t.match(done, { code: 0, stdout: /actions sample ratio 1 index 0 \/ jump group 1 \/ end[\s\S]*would take that/ });
  t.equal(asked('validate').length, 1);
  t.same([asked('create'), await flowsOf(testpmd)], [[], []], 'nothing was made');
});

t.test('a driver that refuses a rule: none is made', { skip }, async (t) => {
  const two = ['-i', '0', '--vlan', '1,2', '--to-port', '2', '--fate', 'drop', ...LEASE];
  const first = await startFlowPrimary(t, 'validate 2');
  t.match(await setFlow(first.testpmd, two), {
    code: 1,
    stderr:
      /does not take rule 2: "this mask is not for me" \(about the mask of an item\).*EINVAL[\s\S]*without --hardware/,
  });
  t.same([first.asked('create'), await flowsOf(first.testpmd)], [[], []]);
  await first.testpmd.stop();

  const second = await startFlowPrimary(t, 'create 2');
  t.match(await setFlow(second.testpmd, two), { code: 1, stderr: /found rule 2 right[\s\S]*"the table is full"/ });
  t.same(second.asked('destroy'), ['destroy 0 rule 1'], 'the one that was made is taken away');
  t.same(await flowsOf(second.testpmd), []);
  await second.testpmd.stop();

  const third = await startFlowPrimary(t, 'destroy 1');
  t.match(await setFlow(third.testpmd, two), { code: 0 });
  const clear = ['mirror', 'clear', '--all', '--via', 'agent', '--file-prefix', third.testpmd.prefix];
  t.match(await runDpcap(clear), { code: 1, stderr: /does not take rule 2 away: "not now"/ });
  await mirrorsUntil(third.testpmd, (all) => all.length === 0);
  t.same(third.asked('destroy'), ['destroy 0 rule 2', 'destroy 0 rule 2', 'destroy 0 rule 1'], 'it is tried again');
});

t.test('a port that is stopped has no rules any more: none is destroyed', { skip }, async (t) => {
  const { testpmd, asked } = await startFlowPrimary(t);
  for (const port of ['0', '1']) {
    const words = ['-i', port, '--to-queue', '1', '--fate', 'queue:0', ...LEASE];
    t.match(await setFlow(testpmd, words), { code: 0 });
  }
  // However short it is: the agent looks ten times a second.
  const stop = testpmd.command('port stop 0');
  const start = testpmd.command('port start 0');
  await Promise.all([stop, start]);
  const clear = ['mirror', 'clear', '--all', '--via', 'agent', '--file-prefix', testpmd.prefix];
  t.match(await runDpcap(clear), { code: 0 });
  t.same(asked('destroy'), ['destroy 1 rule 2'], "only the other port's");

  t.match(await setFlow(testpmd, ['-i', '0', '--to-port', '2', '--fate', 'jump:1', ...LEASE]), { code: 0 });
  await testpmd.command('port stop 2');
  await mirrorsUntil(testpmd, ([one]) => one?.reason === 'other-port-stopped');
  t.same(asked('destroy').slice(1), ['destroy 0 rule 3'], 'where the target is stopped, the rules are there still');
  t.match(await setFlow(testpmd, ['-i', '0', '--to-port', '2', '--fate', 'jump:1', ...LEASE]), {
    code: 1,
    stderr: /a port of the mirror's is stopped/,
  });
  await testpmd.command('port start 2');
  await testpmd.command('start');
  await isForwarding(t, testpmd, 'afterwards');
});

t.test('the owner', { skip }, async (t) => {
  const { testpmd, asked } = await startFlowPrimary(t);
  const words = ['--file-prefix', testpmd.prefix, '-i', '0', '--hardware', '--to-port', '2', '--fate', 'jump:1'];
  const env = { ...process.env, XDG_STATE_HOME: ownDir(t) };
  const held = startDpcap(['mirror', 'set', ...words, '--until-exit'], { env });
  await held.expect(/it ends with/);
  t.match(await held.stop('SIGINT'), { code: 0, stdout: /cleared mirror [0-9a-f]{8}: not counted/ });
  t.same(asked('destroy'), ['destroy 0 rule 1']);

  const killed = startDpcap(['mirror', 'set', ...words, '--until-exit', '--lease', '60s'], { env });
  await killed.expect(/it ends with/);
  await killed.stop('SIGKILL');
  await gone(killed.pid);
  await mirrorsUntil(testpmd, (all) => all.length === 0);
  t.equal(asked('destroy').length, 2, 'the watchdog cleared it');

  t.match(await runDpcap(['mirror', 'set', ...words, '--lease', '1s']), { code: 0 });
  await mirrorsUntil(testpmd, ([one]) => one?.reason === 'lease-over');
  t.equal(asked('destroy').length, 3, 'and the agent, of one that nobody renews');
});

t.test('real drivers', { skip }, async (t) => {
  const iface = uniqueInterface('h');
  const vdevs = ['net_null0', `net_tap1,iface=${iface}`, 'net_null2'];
  const testpmd = await startWithAgent('LD_PRELOAD', { vdevs, memoryMb: 128 });
  t.teardown(() => testpmd.stop());
  const to = ['--to-queue', '0', '--fate', 'queue:0', ...LEASE];
  t.match(
    await setFlow(testpmd, ['-i', '0', ...to]),
    { code: 1, stderr: /"Function not implemented"[\s\S]*ENOSYS[\s\S]*without --hardware/ },
    'net_null has no flow rules',
  );
  const dry = await setFlow(testpmd, ['-i', '0', '--to-port', '2', '--fate', 'jump:1', '--dry-run']);
  t.match(
    dry,
    { code: 1, stdout: /^flow create 0 transfer pattern represented_port/m },
    'the rules are shown all the same',
  );
  const byHand = ['mirror', 'by-hand', '--hardware', '-i', '0', '--to-port', '2', '--fate', 'jump:1'];
  t.match(await runDpcap([...byHand, '--file-prefix', testpmd.prefix]), {
    code: 0,
    stdout: /checked, and REFUSED: .*Function not implemented[\s\S]*^flow validate 0 [\s\S]*^flow destroy 0/m,
  });
  await t.test(
    'net_tap',
    {
      skip:
        /Disabling rte flow support/.test(testpmd.process.output) &&
        'this kernel lacks what net_tap makes flow rules of',
    },
    async (t) => {
      t.match(await setFlow(testpmd, ['-i', '1', ...to]), { code: 1, stderr: /action not supported.*EOPNOTSUPP/ });
    },
  );
  t.match(await runDpcap(['mirror', 'loopback', '-i', '0', 'on', '--file-prefix', testpmd.prefix]), {
    code: 1,
    stderr: /net_null, the driver of port 0 \(net_null0\), has none[\s\S]*net_ixgbe/,
  });
  t.same(await flowsOf(testpmd), []);
  t.match(await testpmd.stop(), { code: 0 });
  t.same(leftovers(), []);
});

t.test('the loopback of a driver that has one', { skip }, async (t) => {
  const { testpmd, asked } = await startFlowPrimary(t, 'loopback 3', 'net_ixgbe');
  const loopback = (...words: string[]): ReturnType<typeof runDpcap> =>
    runDpcap(['mirror', 'loopback', '-i', ...words, '--file-prefix', testpmd.prefix]);
  t.match(await loopback('1', 'on'), { code: 0, stdout: /^the loopback of port 1 \(net_null1\) is on, for the PF/ });
  t.match(await loopback('net_null2', 'off'), { code: 0, stdout: /port 2 \(net_null2\) is off/ });
  t.match(await loopback('1', 'off'), { code: 1, stderr: /ENODEV/ }, 'what the driver says is passed on');
  t.same(asked('loopback'), ['loopback 1 1', 'loopback 2 0', 'loopback 1 0']);
  t.match(await testpmd.stop(), { code: 0 });
  t.same(leftovers(), []);
});

t.test("testpmd's prompt understands the rules that are shown", { skip }, async (t) => {
  const testpmd = await startWithAgent('LD_PRELOAD', { vdevs: ['net_null0', 'net_null1', 'net_null2'], memoryMb: 128 });
  t.teardown(() => testpmd.stop());
  const patterns = [
    ['--to-queue', '0', '--fate', 'queue:0', '--net', '10.0.0.0/8', '--proto', 'udp', '--port', '53', '--vlan', '7'],
    ['--to-port', '1', '--fate', 'port:2', '--host', '2001:db8::1', '--proto', 'icmp6', '--count', '--ratio', '8'],
    ['--to-port', '1', '--fate', 'drop', '--proto', 'arp', '--vlan', 'none', 'ether host 02:00:00:00:00:0f'],
    ['--to-port', '1', '--fate', 'jump:3', '--proto', 'arp', '--vlan', '9', 'ether dst 02:00:00:00:00:0f'],
  ];
  await testpmd.command('set sample_actions 0 port_id id 2 / end'); // represented_port there is of 23.07
  for (const words of patterns) {
    const { stdout } = await setFlow(testpmd, ['-i', '0', ...words, '--dry-run']);
    const rules = stdout.split('\n').filter((line) => line.startsWith('flow create'));
    t.ok(rules.length > 0, words.join(' '));
    for (const rule of rules)
      t.notMatch(await testpmd.command(rule.replace('create', 'validate')), /Bad arguments|Ambiguous|not found/i, rule);
  }
});
