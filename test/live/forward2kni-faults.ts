/** forward2kni that is killed, cut off or not possible here: nothing is left, and the primary is as it was. */
import t, { type Test } from 'tap';
import {
  balances,
  bridgeTwoNamespaces,
  enginePid,
  type Finished,
  forward2kni,
  gone,
  hasInterface,
  interfaceGone,
  isForwarding,
  isThroughAgent,
  isUnharmed,
  kniName,
  type LiveCapture,
  remember,
  requirements,
  run,
  runDpcap,
  start,
  startForwarder,
  startTestpmd,
  type Testpmd,
  underLoad,
} from '../harness/index.js';
import { ownDir } from '../helpers/own-dir.js';

const skip = requirements({ hugepagesMb: 256, namespaces: true, tools: ['setpriv'] });
process.env.XDG_STATE_HOME = ownDir(t);

async function forwarding(testpmd: Testpmd, name: string): Promise<LiveCapture> {
  const running = startForwarder(testpmd, '0', ['--name', name]);
  await running.written(1);
  return running;
}

t.test('killed, one or both of its processes', { skip }, async (t) => {
  const testpmd = await underLoad(t);
  const before = await remember(testpmd);
  const name = kniName();
  const nothingLeft = async (what: string): Promise<void> => {
    await interfaceGone(name);
    await isUnharmed(t, testpmd, before, what);
    await isForwarding(t, testpmd, what);
    t.match(await forward2kni(testpmd, '0', 'status'), { code: 0, stdout: 'port 0 is not forwarded\n' }, what);
  };

  let running = await forwarding(testpmd, name);
  process.kill(enginePid(running.pid), 'SIGKILL');
  t.match(await running.ended(), { code: 1, stderr: /ended unexpectedly \(SIGKILL\).*its interface is gone/ });
  await nothingLeft('engine killed');

  running = await forwarding(testpmd, name);
  let engine = enginePid(running.pid);
  await running.stop('SIGKILL');
  await gone(engine);
  await nothingLeft('forwarder killed');

  running = await forwarding(testpmd, name);
  engine = enginePid(running.pid);
  running.process.signal('SIGSTOP'); // or it would see its engine die
  process.kill(engine, 'SIGKILL');
  await running.stop('SIGKILL');
  await gone(engine);
  await interfaceGone(name);
  const recovered = await runDpcap(['recover', '--file-prefix', testpmd.prefix]);
  const cleared = isThroughAgent ? /nothing to clear/ : /cleared a capture of pid \d+, 2 queues .*forward2kni 0 on/;
  t.match(recovered, { code: 0, stdout: cleared });
  await nothingLeft('both killed');
});

t.test('killed in the background', { skip }, async (t) => {
  const testpmd = await underLoad(t);
  const before = await remember(testpmd);
  const name = kniName();
  const on = await forward2kni(testpmd, '0', 'on', ['--detach', '--json', '--name', name, '-B', '16384']);
  t.equal(on.code, 0, on.stderr);
  const { pid } = JSON.parse(on.stdout);
  const engine = enginePid(pid);
  process.kill(pid, 'SIGKILL');
  await Promise.all([gone(pid), gone(engine), interfaceGone(name)]);
  t.match(await forward2kni(testpmd, '0', 'off'), { code: 0, stdout: /is not forwarded/ });
  await isUnharmed(t, testpmd, before, 'killed');
});

t.test('its interface is deleted', { skip }, async (t) => {
  const busy = await underLoad(t);
  const idle = await startTestpmd({ vdevs: ['net_null0'] });
  t.teardown(() => idle.stop());
  for (const [what, testpmd] of Object.entries({ busy, idle })) {
    const before = await remember(testpmd);
    const name = kniName();
    const running = await startForwarder(testpmd, '0', ['--name', name]).started();
    run('ip', ['link', 'del', name]);
    const captured = await running.ended();
    t.match(captured, { code: 1, stderr: new RegExp(`interface ${name} is gone.*deleted it.*EBADFD`) }, what);
    t.equal(captured.final?.stop_reason, 'sink failed');
    await isUnharmed(t, testpmd, before, what);
  }
});

t.test('its interface is set down, and up again', { skip }, async (t) => {
  const testpmd = await underLoad(t);
  const name = kniName();
  const running = await forwarding(testpmd, name);
  run('ip', ['link', 'set', name, 'down']);
  const dropped = /"sinkdrop":[1-9]/;
  await running.process.expect(dropped, { stream: 'stderr' });
  run('ip', ['link', 'set', name, 'up']);
  const captured = await running.stop();
  balances(t, captured);
});

t.test('its primary goes', { skip }, async (t) => {
  const testpmd = await underLoad(t);
  const name = kniName();
  const running = await forwarding(testpmd, name);
  await testpmd.kill();
  const captured = await running.ended();
  t.match(captured, { code: 1, stderr: /primary process exited/ });
  t.equal(captured.final?.stop_reason, 'primary gone');
  await interfaceGone(name);
});

t.test('what the kernel sends on the interface reaches nobody', { skip }, async (t) => {
  const bridge = bridgeTwoNamespaces();
  t.teardown(() => bridge.close());
  const testpmd = await startTestpmd({ vdevs: bridge.vdevs });
  t.teardown(() => testpmd.stop());
  await testpmd.command('start');
  const { name: netns } = bridge.a;
  const name = 'kni0';
  const running = await startForwarder(testpmd, '0', ['--name', name, '--netns', netns]).started();

  const received = (): string => bridge.b.run('cat', ['/sys/class/net/eth0/statistics/rx_packets']);
  const before = [received(), (await testpmd.forwarding()).txPackets];
  const inside = (...words: string[]): string => bridge.a.run('ip', words);
  inside('address', 'add', '10.77.1.1/24', 'dev', name);
  inside('neighbour', 'add', '10.77.1.2', 'lladdr', bridge.b.mac, 'dev', name);
  const ping = await bridge.a.start('ping', ['-c', '20', '-i', '0.01', '-W', '1', '10.77.1.2']).wait();
  t.match(ping.stdout, /20 packets transmitted, 0 received/);
  const sent = () => Number(inside('-s', '-j', 'link', 'show', name).match(/"tx":\{"bytes":\d+,"packets":(\d+)/)?.[1]);
  t.ok(sent() >= 20, `the kernel has sent ${sent()} packets into the interface`);
  t.same([received(), (await testpmd.forwarding()).txPackets], before, 'no port has sent any of them');
  const captured = await running.stop();
  balances(t, captured);
  t.equal(captured.final?.packets, 0);
});

/** Runs `forward2kni 0 on` behind a command that takes something away from it. */
function without(testpmd: Testpmd, wrapper: string[], name: string): Promise<Finished> {
  const [file = '', ...args] = wrapper;
  const words = ['forward2kni', '0', 'on', '--file-prefix', testpmd.prefix, '--name', name];
  return start(file, [...args, process.execPath, 'bin/dpcap.cjs', ...words]).wait();
}

/** @param words what the message and its hint must contain */
function refused(t: Test, what: string, finished: Finished, code: number, words: RegExp[]): void {
  t.match(finished, { code, signal: null, stdout: '' }, `${what}: exit code ${code}`);
  t.match(finished.stderr, /^(dpcap|error): .*\n {2}\S|from \d+ to \d+/, `${what}: ${finished.stderr.trim()}`);
  for (const word of words) t.match(finished.stderr, word, `${what}: says ${word}`);
}

/** What is typed, the exit code, what is said about it. */
const MISTAKES: [what: string, port: string, args: string[], code: number, words: RegExp[]][] = [
  ['name too long', '0', ['--name', 'sixteen-letters-'], 2, [/sixteen-letters-/, /1 to 15/]],
  ['name too long with its suffix', '0', ['--name', 'thirteen-lett', '--split', 'direction'], 2, [/1 to 12/]],
  ['name with a slash', '0', ['--name', 'a/b'], 2, [/a\/b is no interface name/]],
  ['name taken', '0', ['--name', 'lo'], 1, [/interface lo/, /EBUSY/, /--name/]],
  ['no such namespace', '0', ['--netns', 'dpcap-nonesuch'], 1, [/namespace dpcap-nonesuch/, /ENOENT/, /ip netns list/]],
  ['a path for a namespace', '0', ['--netns', '../x'], 2, [/--netns/, /\.\.\/x/]],
  ['port id', '9', [], 2, [/no port 9/, /0 \(net_null0\)/]],
  ['port name', 'eth7', [], 2, [/no port eth7/]],
  ['unknown split', '0', ['--split', 'queue'], 2, [/queue/, /--split direction/]],
  ['no rate', '0', ['--max-rate', '0'], 2, [/--max-rate: 0 /]],
  ['rate in words', '0', ['--max-rate', 'slow'], 2, [/--max-rate: slow/]],
  ['too many threads', '0', ['--threads', '9'], 2, [/--threads: 9 .*from 1 to 8/]],
  ['rate and threads', '0', ['--threads', '2', '--max-rate', '5'], 2, [/exclude each other/]],
  ['direction', '0', ['-Q', 'up'], 2, [/up/, /rx, tx or both/]],
  ['filter', '0', ['tcp', 'prot', '80'], 2, [/syntax error/]],
  ['other primary', '0', ['--file-prefix', 'dpcap-nonesuch'], 1, [/file prefix dpcap-nonesuch/]],
];

t.test('bad input and hosts that are not ready', { skip }, async (t) => {
  const testpmd = await underLoad(t);
  const before = await remember(testpmd);
  const interfaces = (): string => run('ip', ['-o', 'link', 'show', 'type', 'tun']);
  const name = kniName();
  for (const [what, port, args, code, words] of MISTAKES) {
    refused(t, what, await forward2kni(testpmd, port, 'on', args), code, words);
  }
  const detached = await forward2kni(testpmd, '0', 'on', ['--detach', '--name', 'lo']);
  refused(t, 'in the background', detached, 1, [/did not start: cannot create the interface lo.*EBUSY/, /--name/]);

  const noDevice = ['unshare', '--mount', 'sh', '-c', 'mount -t tmpfs none /dev/net && exec "$@"', 'sh'];
  refused(t, 'no device', await without(testpmd, noDevice, name), 1, [/\/dev\/net\/tun/, /ENOENT/, /modprobe tun/]);
  const noCapability = ['setpriv', '--bounding-set=-net_admin'];
  const refusal = await without(testpmd, noCapability, name);
  refused(t, 'no capability', refusal, 1, [new RegExp(`interface ${name}`), /EPERM/, /CAP_NET_ADMIN/]);

  t.notOk(hasInterface(name));
  t.notMatch(interfaces(), name);
  await isUnharmed(t, testpmd, before, 'bad input');
  await isForwarding(t, testpmd, 'bad input');
});
