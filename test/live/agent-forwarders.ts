/** Through the agent, of applications that never call rte_pdump_init(): what tcpdump sees on the other end of the wire. */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { startForwarderWithAgent } from '../harness/agent.js';
import {
  balances,
  bridgeTwoNamespaces,
  countPackets,
  leftovers,
  readPcap,
  requirements,
  run,
  runDpcap,
  startCapture,
  startHttpServer,
} from '../harness/index.js';

const skip = requirements({ hugepagesMb: 128, tools: ['cmake', 'ethtool', 'curl'] });
const WANTED = 'icmp or tcp port 80';
const PINGS = 5;
const LAST_BYTES = 777;
const DEADLINE_MS = 10_000;

/** Frames of a file that a filter selects, in an order of their own: two tools may see two directions in turn. */
function framesIn(file: string): string[] {
  const selected = `${file}.selected`;
  run('tcpdump', ['-Z', 'root', '-r', file, '-w', selected, WANTED]);
  return readPcap(selected)
    .packets.map(({ data }) => Buffer.from(data).toString('hex'))
    .sort();
}

/** Waits until a file that grows has the last ping and its answer; resolves with how many frames it has then. */
async function framesUpToLast(file: string): Promise<number> {
  const deadline = Date.now() + DEADLINE_MS;
  while (countPackets(file, `icmp and greater ${LAST_BYTES}`) < 2) {
    if (Date.now() > deadline) throw new Error('tcpdump has not seen the last ping');
    await delay(20);
  }
  return countPackets(file, WANTED);
}

for (const program of ['dpdk-forwarder', 'dpdk-static-forwarder'] as const) {
  t.test(`ping and curl through ${program}`, { skip }, async (t) => {
    const folder = t.testdir();
    const bridge = bridgeTwoNamespaces();
    t.teardown(() => bridge.close());
    const application = await startForwarderWithAgent(program, bridge.vdevs);
    t.teardown(() => application.stop());
    const server = await startHttpServer(bridge.b);
    t.teardown(() => server.stop());
    const [ours, theirs] = [join(folder, 'dpcap.pcap'), join(folder, 'tcpdump.pcap')];

    t.match(await runDpcap(['agent', 'check', String(application.process.pid)]), {
      code: 0,
      stdout: program === 'dpdk-forwarder' ? /librte_bpf|the agent's interpreter/ : /the agent's interpreter/,
    });
    const running = await startCapture(application, ['-i', '0', '-w', ours, WANTED]).started();
    const wire = bridge.a.start('tcpdump', ['-i', 'eth0', '-U', '-Z', 'root', '-w', theirs]);
    await wire.expect(/listening on/);
    bridge.a.run('ping', ['-c', String(PINGS), '-i', '0.05', '-W', '2', bridge.b.address]);
    t.match(bridge.a.run('curl', ['-s', server.url]), /hello from dpcap/);
    // Once both have the answer to a ping of its own length, they have all that came before it.
    bridge.a.run('ping', ['-c', '1', '-s', String(LAST_BYTES), '-W', '2', bridge.b.address]);
    const wanted = await framesUpToLast(theirs);
    await running.written(wanted);
    const captured = await running.stop();
    await wire.stop('SIGINT');
    balances(t, captured);
    t.ok(framesIn(ours).length > 2 * PINGS);
    t.same(framesIn(ours), framesIn(theirs), 'packet by packet');

    await server.stop();
    t.match(await application.stop(), { code: 0 });
    bridge.close();
    t.same(leftovers(), []);
  });
}
