/** Mirrors into tunnels where something is wrong: with what is asked for, or with the port that they leave by. */
import { join } from 'node:path';
import t from 'tap';
import { Journal } from '../../src/system/journal.js';
import { startWithAgent } from '../harness/agent.js';
import { COLLECTOR, HOST } from '../harness/collector.js';
import { isForwarding, leftovers, type Running, requirements, runDpcap, startDpcap } from '../harness/index.js';
import { addsUp, copiesFreed, mirrorsOf, mirrorsUntil, setMirror } from '../harness/mirrors.js';
import { ownDir } from '../helpers/own-dir.js';

const skip = requirements({ hugepagesMb: 256 });
const NEXT_HOP = '02:00:00:00:00:09';
const FROM = `src=${HOST}`;

t.test('what is asked for is wrong, and ports that are stopped or removed', { skip }, async (t) => {
  const vdevs = ['net_null0', 'net_null1', 'net_null2'];
  const testpmd = await startWithAgent('LD_PRELOAD', { vdevs, args: ['--rxq=1', '--txq=2'], memoryMb: 192 });
  t.teardown(() => testpmd.stop());
  await testpmd.command('set portlist 0,1');
  await testpmd.command('start');
  const url = `gretap://${COLLECTOR}?key=5&${FROM}`;
  const rx = ['-i', '0', '-Q', 'rx', '--lease', '1m'];
  const by = ['--next-hop', NEXT_HOP];
  const wrong: [words: string[], code: number, message: RegExp][] = [
    [[...rx, '--to', url], 2, /--to without --out-port/],
    [[...rx, '--to', url, '--out-port', '7'], 2, /there is no port 7/],
    [[...rx, '--to', url, '--to-port', '1'], 2, /a mirror has one target/],
    [[...rx, '--to-port', '1', ...by], 2, /--next-hop without --to/],
    [[...rx, '--to', `gretap://${COLLECTOR}?key=5`, '--out-port', '2'], 2, /src is missing/],
    [[...rx, '--to', `${url}&mtu=9000`, '--out-port', '2'], 2, /sends packets of 1500 bytes at most/],
    [[...rx, '--to', url, '--out-port', '2', '--next-hop', 'router'], 2, /neither the MAC address nor the address/],
    [[...rx, '--to', url, '--out-port', '2', '--by-reference'], 2, /--by-reference with --to/],
    [[...rx, '--to', url, '--out-port', '1', '--to-queue', '0', ...by], 1, /the application sends on that transmit/],
    [[...rx, '--to', url, '--out-port', '2', '--hardware'], 2, /--to with --hardware/],
  ];
  const set = (words: readonly string[]): ReturnType<typeof runDpcap> =>
    runDpcap(['mirror', 'set', '--file-prefix', testpmd.prefix, ...words]);
  for (const [words, code, message] of wrong) t.match(await set(words), { code, stderr: message }, words.join(' '));
  t.same(await mirrorsOf(testpmd), [], 'nothing was set');
  await setMirror(testpmd, ['-i', '0', '-Q', 'rx', '--to', url, '--out-port', '2', ...by]);
  t.match(await set(['-i', '1', '--lease', '1m', '--to', url, '--out-port', '2', ...by]), {
    code: 1,
    stderr: /another mirror sends into that tunnel[\s\S]*an id of its own/,
  });
  await mirrorsUntil(testpmd, ([one]) => (one?.counters.limited ?? 0) > 0);
  await testpmd.command('port stop 2');
  const [ended] = await mirrorsUntil(testpmd, ([one]) => one?.state === 'ended');
  t.match(ended, { reason: 'target-stopped', tunnel: { protocol: 'gretap', id: 5 } });
  t.ok(ended && addsUp(ended), 'each packet is accounted for');
  t.match(await runDpcap(['mirror', 'capabilities', '--via', 'agent', '--file-prefix', testpmd.prefix]), {
    stdout: /or into a tunnel \(erspan, vxlan, gretap\) that leaves by such a queue of any port/,
  });

  t.match(await runDpcap(['mirror', 'clear', '--all', '--file-prefix', testpmd.prefix]), { code: 0 });
  await testpmd.command('port start 2');
  await setMirror(testpmd, ['-i', '0', '-Q', 'rx', '--to', url, '--out-port', '2']);
  await mirrorsUntil(testpmd, ([one]) => (one?.counters.unresolved ?? 0) > 0);
  await testpmd.command('port stop 2');
  await testpmd.command('port detach 2');
  const [gone] = await mirrorsUntil(testpmd, ([one]) => one?.state === 'ended');
  t.match(gone, { reason: /target-(stopped|gone)/, counters: { sent: 0 } }, 'also where it was still to learn from it');
  await isForwarding(t, testpmd, 'afterwards');
  t.match(await testpmd.stop(), { code: 0 });
  t.same(leftovers(), []);
});

t.test(
  'a tunnel that is held: in the journal, and cleared at the end, or when its owner is killed',
  { skip },
  async (t) => {
    const testpmd = await startWithAgent('LD_PRELOAD', {
      ...{ vdevs: ['net_null0', 'net_null1', 'net_null2'], args: ['--rxq=1', '--txq=2'], memoryMb: 192 },
    });
    t.teardown(() => testpmd.stop());
    await testpmd.command('set portlist 0,1');
    await testpmd.command('start');
    const state = ownDir(t);
    const journal = new Journal(join(state, 'dpcap'));
    const hold = async (): Promise<Running> => {
      const to = ['--to', `vxlan://${COLLECTOR}?vni=5&${FROM}`, '--out-port', '2', '--next-hop', NEXT_HOP];
      const words = ['mirror', 'set', '--file-prefix', testpmd.prefix, '-i', '0', ...to, '--until-exit'];
      const running = startDpcap(words, { env: { ...process.env, XDG_STATE_HOME: state } });
      await running.expect(/it ends with/);
      return running;
    };
    const stopped = await hold();
    await mirrorsUntil(testpmd, ([one]) => (one?.counters.sent ?? 0) > 100);
    t.equal(journal.list().length, 1, 'in the journal');
    stopped.signal('SIGINT');
    t.match(await stopped.wait(), {
      code: 0,
      stdout: /cleared mirror [0-9a-f]{8}: matched .*limited \d+, unresolved 0/,
    });
    t.same([await mirrorsOf(testpmd), journal.list()], [[], []], 'stopped: nothing is left');
    const killed = await hold();
    killed.signal('SIGKILL');
    await mirrorsUntil(testpmd, (all) => all.length === 0);
    await copiesFreed(testpmd);
    t.match(await testpmd.stop(), { code: 0 });
    t.same(leftovers(), []);
  },
);
