/** Mirrors of ports where something is wrong: with what is asked for, with the ports, with the owner. The application goes on. */
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { undoJournal } from '../../src/cli/commands/recover.js';
import { hostAddon } from '../../src/native/addons.js';
import { Journal } from '../../src/system/journal.js';
import { startSecondaryWithAgent, startWithAgent } from '../harness/agent.js';
import {
  childrenOf,
  gone,
  isForwarding,
  leftovers,
  type Running,
  requirements,
  runDpcap,
  startDpcap,
  startTestpmd,
  type Testpmd,
} from '../harness/index.js';
import { addsUp, mirrorsOf, mirrorsUntil, setMirror } from '../harness/mirrors.js';
import { ownDir } from '../helpers/own-dir.js';
import { setUpController } from '../mirror/helpers/controller.js';

const skip = requirements({ hugepagesMb: 256 });
const MOST = 16;
const RX = ['-i', '0', '-Q', 'rx'];

/** Ports 0 and 1 forward to each other at full load; 2 and 3 are started, and nobody polls them. */
async function forwarding(t: Test, ports = 4): Promise<Testpmd> {
  const vdevs = Array.from({ length: ports }, (_, port) => `net_null${port}`);
  const testpmd = await startWithAgent('LD_PRELOAD', { vdevs, args: ['--rxq=1', '--txq=2'], memoryMb: 192 });
  t.teardown(() => testpmd.stop());
  await testpmd.command('set portlist 0,1');
  await testpmd.command('start');
  return testpmd;
}

function set(testpmd: Testpmd, words: readonly string[]): ReturnType<typeof runDpcap> {
  return runDpcap(['mirror', 'set', '--file-prefix', testpmd.prefix, ...words]);
}

/** A mirror that is held, with a journal of its own, once it is on. */
async function hold(testpmd: Testpmd, state: string, words: readonly string[]): Promise<Running> {
  const args = ['mirror', 'set', '--file-prefix', testpmd.prefix, ...RX, '--to-port', '2', '--until-exit', ...words];
  const running = startDpcap(args, { env: { ...process.env, XDG_STATE_HOME: state } });
  await running.expect(/it ends with/);
  return running;
}

t.test('what is asked for is wrong', { skip }, async (t) => {
  const testpmd = await forwarding(t);
  const wrong: [words: string[], code: number, message: RegExp][] = [
    [[...RX, '--to-port', '0', '--lease', '1m'], 2, /the target is the source: port 0 \(net_null0\)/],
    [[...RX, '--to-port', '9', '--lease', '1m'], 2, /there is no port 9[\s\S]*the ports are 0 \(net_null0\)/],
    [['-i', 'eth7', '--to-port', '1', '--lease', '1m'], 2, /there is no port eth7/],
    [[...RX, '--to-port', '2', '--to-queue', '5', '--lease', '1m'], 2, /no transmit queue 5[\s\S]*it has 2/],
    [[...RX, '--to-port', '1', '--to-queue', '0', '--lease', '1m'], 1, /the application sends on[\s\S]*--to-queue/],
    [[...RX, '--to-port', '2', '--lease', '0'], 2, /--lease: 0 is no duration/],
    [[...RX, '--to-port', '2'], 2, /for how long\?[\s\S]*--until-exit/],
    [[...RX, '--to-port', '2', '--lease', '1m', 'udp', 'prot', '5'], 2, /syntax/],
    [[...RX, '--to-port', '2', '--lease', '1m', '--push-vlan', '4095'], 2, /is no VLAN/],
    [[...RX, '--to-port', '2', '--lease', '1m', '-s', '8'], 2, /8 bytes are no frame/],
    [[...RX, '-i', '1', '--to-port', '2', '--lease', '1m'], 2, /-i is given twice/],
    [[...RX, '--to-port', '2', '--lease', '1m', '--via', 'vfd'], 2, /--via vfd mirrors VFs, not ports/],
    [[...RX, '--to-port', '2', '--vf', '1', '--lease', '1m'], 2, /one of ports or one of VFs/],
    [[...RX, '--lease', '1m'], 2, /needs --to-port/],
  ];
  for (const [words, code, message] of wrong)
    t.match(await set(testpmd, words), { code, stderr: message }, words.join(' '));
  t.same(await mirrorsOf(testpmd), [], 'nothing was set');
  await isForwarding(t, testpmd, 'afterwards');
});

t.test('a target that is stopped', { skip }, async (t) => {
  const testpmd = await forwarding(t);
  await testpmd.command('port stop 3');
  t.match(await set(testpmd, [...RX, '--to-port', '3', '--lease', '1m']), { code: 1, stderr: /the target is stopped/ });
  const held = await hold(testpmd, ownDir(t), []);
  await mirrorsUntil(testpmd, ([one]) => one !== undefined && one.counters.sent > 1000);
  await testpmd.command('port stop 2');
  t.match(await held.wait(), {
    code: 1,
    stderr: /mirror [0-9a-f]{8} has ended: its target was stopped/,
  });
  await isForwarding(t, testpmd, 'afterwards');
  await testpmd.command('port start 2');
  t.match(await set(testpmd, [...RX, '--to-port', '2', '--lease', '1m']), { code: 0 }, 'it can be a target again');
});

t.test('ports that are removed', { skip }, async (t) => {
  const testpmd = await forwarding(t);
  await setMirror(testpmd, ['-i', '3', '--to-port', '2']);
  await testpmd.command('port stop 3');
  await testpmd.command('port detach 3');
  await mirrorsUntil(testpmd, ([one]) => one?.state === 'ended' && one.reason === 'source-gone');
  await setMirror(testpmd, [...RX, '--to-port', '2']);
  await testpmd.command('port stop 2');
  await testpmd.command('port detach 2');
  const [, second] = await mirrorsUntil(testpmd, ([, two]) => two?.state === 'ended');
  t.match(second?.reason, /target-(stopped|gone)/);
  t.ok(second && addsUp(second), 'and each packet is accounted for');
  t.match(await runDpcap(['mirror', 'clear', '--all', '--via', 'agent', '--file-prefix', testpmd.prefix]), { code: 0 });
  t.same(await mirrorsOf(testpmd), [], 'what has ended is told of until it is cleared');
  await isForwarding(t, testpmd, 'afterwards');
});

t.test('the application begins to send on the target queue', { skip }, async (t) => {
  const testpmd = await forwarding(t, 3);
  await setMirror(testpmd, [...RX, '--to-port', '2', '--to-queue', '0']);
  await testpmd.command('stop');
  await testpmd.command('set portlist 0,1,2');
  await testpmd.command('start');
  await mirrorsUntil(testpmd, ([one]) => one?.state === 'ended' && one.reason === 'queue-used');
  await isForwarding(t, testpmd, 'afterwards');
});

t.test('as many as can be, and the same twice', { skip }, async (t) => {
  const ports = 6;
  const testpmd = await forwarding(t, ports);
  const pairs = Array.from({ length: ports * ports }, (_, at) => [Math.floor(at / ports), at % ports])
    .filter(([source, target]) => source !== target)
    .slice(0, MOST + 1)
    .map((pair) => pair.map(String)) as [string, string][];
  const words = ([source, target]: [string, string]): string[] => ['-i', source, '--to-port', target, '--lease', '10m'];
  for (const pair of pairs.slice(0, MOST))
    t.match(await set(testpmd, words(pair)), { code: 0, stderr: '' }, pair.join(' to '));
  t.match(await set(testpmd, words(pairs[MOST] as [string, string])), {
    code: 1,
    stderr: /as many mirrors as it can have/,
  });
  t.match(await set(testpmd, [...words(pairs[0] as [string, string]), 'udp']), {
    code: 1,
    stderr: /mirrored to that port already/,
  });
  t.match(await runDpcap(['mirror', 'clear', '--all', '--file-prefix', testpmd.prefix]), { code: 0 });
  await isForwarding(t, testpmd, 'afterwards');
});

t.test('owners that go, one way and the other', { skip }, async (t) => {
  const testpmd = await forwarding(t);
  const state = ownDir(t);
  const journal = new Journal(join(state, 'dpcap'));

  const stopped = await hold(testpmd, state, []);
  t.match(await runDpcap(['mirror', 'list', '--via', 'agent', '--file-prefix', testpmd.prefix]), {
    stdout: new RegExp(`on, of process ${stopped.pid}`),
  });
  t.equal(journal.list().length, 1, 'in the journal');
  stopped.signal('SIGINT');
  t.match(await stopped.wait(), { code: 0, stdout: /cleared mirror [0-9a-f]{8}: matched \d+/ });
  t.same([await mirrorsOf(testpmd), journal.list()], [[], []], 'stopped: nothing is left');

  const killed = await hold(testpmd, state, []);
  killed.signal('SIGKILL');
  await mirrorsUntil(testpmd, (all) => all.length === 0);
  t.pass('killed: the watchdog has cleared it');

  const alone = await hold(testpmd, state, ['--lease', '2s']);
  const watchdogs = childrenOf(alone.pid);
  alone.signal('SIGSTOP'); // it renews no more
  for (const pid of watchdogs) process.kill(pid, 'SIGKILL');
  alone.signal('SIGKILL');
  await gone(alone.pid);
  const left: number[] = []; // seconds of its lease, by the agent's clock, as often as it is still on
  const [ended] = await mirrorsUntil(testpmd, ([one]) => {
    if (one?.state === 'on') left.push(one.leaseLeftSeconds);
    return one?.state === 'ended' && one.reason === 'lease-over';
  });
  t.ok(
    left.every((seconds, i) => seconds <= (left[i - 1] ?? 2)),
    `nobody has renewed it: ${left.join(' ')}`,
  );
  t.ok(left.filter((seconds) => seconds === 0).length <= 1, 'and it has ended with its lease');
  t.match(
    await runDpcap(['mirror', 'status', '--id', ended?.id ?? '', '--file-prefix', testpmd.prefix]),
    { code: 0, stdout: /; ended: its lease ran out[^\n]*\n {2}matched \d{3,}/ },
    'what ended, why, and its last counters',
  );
  const undone = await undoJournal(journal);
  t.match(undone, [{ isUndone: true, text: /cleared mirror|was off already/ }], 'both killed: its lease runs out');
  t.same(journal.list(), []);
  await isForwarding(t, testpmd, 'afterwards');
});

t.test('two owners: only its own renews a mirror, and anybody may end it', { skip }, async (t) => {
  const testpmd = await forwarding(t);
  const { id, leaseLeftSeconds } = await setMirror(testpmd, [...RX, '--to-port', '2']);
  const socket = `/var/run/dpdk/${testpmd.prefix}/dpcap_agent_${testpmd.pid}`;
  const other = { pid: process.pid, startTicks: 1, leaseSeconds: 600 };
  t.throws(() => hostAddon().mirrorRenew(socket, Number.parseInt(id, 16), other), { code: 'ERR_MIRROR_REFUSED' });
  const [one] = await mirrorsOf(testpmd);
  t.ok(one && one.leaseLeftSeconds <= leaseLeftSeconds, 'its lease is what it was');
  t.match(await runDpcap(['mirror', 'clear', '--id', id, '--file-prefix', testpmd.prefix]), {
    code: 0,
    stdout: /cleared/,
  });
  t.match(await runDpcap(['mirror', 'clear', '--id', id, '--file-prefix', testpmd.prefix]), {
    code: 0,
    stdout: /no such mirror was on/,
  });
});

t.test('an application of two processes', { skip }, async (t) => {
  const words = (id: number): string[] => ['--rxq=2', '--txq=4', '--num-procs=2', `--proc-id=${id}`];
  const vdevs = ['net_null0', 'net_null1'];
  const primary = await startWithAgent('LD_PRELOAD', { vdevs, args: words(0), memoryMb: 192 });
  t.teardown(() => primary.stop());
  const secondary = await startSecondaryWithAgent(primary, { vdevs: [], args: words(1) });
  t.teardown(() => secondary.kill('SIGTERM', { keepFiles: true }));
  const asked = [...RX, '--to-port', '1', '--lease', '1m'];
  t.match(await set(primary, asked), {
    code: 1,
    stderr: new RegExp(`what process ${secondary.pid} sends[\\s\\S]*--to-queue`),
  });
  t.match(await set(primary, [...asked, '--to-queue', '3']), {
    code: 0,
    stderr: new RegExp(`not those of process ${secondary.pid}`),
  });
});

t.test('without an agent, and with VFd beside it', { skip }, async (t) => {
  const plain = await startTestpmd({ vdevs: ['net_null0', 'net_null1'], env: { LD_PRELOAD: '' } });
  t.teardown(() => plain.stop());
  t.match(await set(plain, [...RX, '--to-port', '1', '--lease', '1m']), {
    code: 1,
    stderr: /has an agent of dpcap[\s\S]*dpcap agent path[\s\S]*dpcap agent inject/,
  });
  await plain.stop();

  const testpmd = await forwarding(t);
  const { vfd } = setUpController(ownDir(t));
  t.teardown(() => vfd.stop());
  const both = (words: string[]): ReturnType<typeof runDpcap> =>
    runDpcap(['mirror', ...words, '--config', vfd.cfg, '--file-prefix', testpmd.prefix]);
  t.match(await both(['capabilities']), {
    code: 0,
    stdout: /ports: through the agent[\s\S]*VFs: through VFd[\s\S]*port 0 \(net_null0\)[\s\S]*PF 0/,
  });
  t.match(await both(['set', ...RX, '--to-port', '2', '--lease', '1m']), { code: 0 }, 'ports: the agent');
  t.match(
    await both(['set', '--pf', '0', '--vf', '1', '--direction', 'all', '--target', '3']),
    { code: 0 },
    'VFs: VFd',
  );
  const listed = JSON.parse((await both(['list', '--json'])).stdout);
  t.match(
    listed,
    { mirrors: [{ pf: 0, vf: 1, target: 3 }], ports: [{ sourcePort: 0, targetPort: 2 }] },
    'both are listed',
  );
  t.match(await both(['clear', '--all']), { code: 2, stderr: /add --via agent or --via vfd/ });
  t.match(await both(['clear', '--all', '--via', 'agent']), { code: 0 });
  t.match(JSON.parse((await both(['list', '--json'])).stdout), { mirrors: [{ vf: 1 }], ports: [] });
  t.match(await testpmd.stop(), { code: 0 });
  t.same(leftovers(), []);
});
