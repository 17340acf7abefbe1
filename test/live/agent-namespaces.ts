/** Applications with the agent in PID namespaces of their own, as containers have them: each of them believes that it is 1. */
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { findAgents } from '../../src/agent/find.js';
import { balances } from '../harness/accounting.js';
import { childrenOf } from '../harness/engine.js';
import { capture, requirements, runDpcap, startTestpmd, type Testpmd, type TestpmdOptions } from '../harness/index.js';
import { DPDK_RUNTIME_DIR } from '../harness/owned.js';
import { isForwarding } from '../harness/unharmed.js';
import { installedAgent } from '../helpers/native.js';

const skip = requirements({ hugepagesMb: 256, tools: ['unshare'] });
const CONTAINER = ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
const MOST_MS = 10_000;

async function startInside(options: TestpmdOptions): Promise<{ testpmd: Testpmd; pid: number }> {
  const testpmd = await startTestpmd({ ...options, within: CONTAINER, env: { LD_PRELOAD: installedAgent() } });
  const [pid = 0] = childrenOf(testpmd.pid);
  const deadline = Date.now() + MOST_MS;
  while (!findAgents(DPDK_RUNTIME_DIR, testpmd.prefix).some((agent) => agent.pid === pid)) {
    if (Date.now() > deadline) throw new Error(`process ${pid} has no agent that serves`);
    await delay(10);
  }
  return { testpmd, pid };
}

/** A primary and a secondary that share a runtime directory, and nothing else. */
async function startBoth(t: Test): Promise<{ testpmd: Testpmd; pid: number }[]> {
  const words = (id: number): string[] => ['--rxq=2', '--txq=2', '--num-procs=2', `--proc-id=${id}`];
  const primary = await startInside({ vdevs: ['net_null0', 'net_null1'], args: words(0) });
  t.teardown(() => primary.testpmd.stop());
  const eal = ['--proc-type=secondary'];
  const secondary = await startInside({ vdevs: [], args: words(1), eal, prefix: primary.testpmd.prefix });
  // unshare heeds no SIGTERM while it waits for its child, which is killed with it.
  t.teardown(() => secondary.testpmd.kill('SIGKILL', { keepFiles: true }));
  return [primary, secondary];
}

t.test(
  'two of the same pid have an agent each, and are told apart by the pids that are seen here',
  { skip },
  async (t) => {
    const both = await startBoth(t);
    const [{ testpmd, pid }, other] = both as [(typeof both)[0], (typeof both)[0]];
    for (const one of both) await one.testpmd.command('start');
    const sockets = findAgents(DPDK_RUNTIME_DIR, testpmd.prefix).map(({ socket }) => socket.split('/').at(-1));
    t.same(sockets.sort(), ['dpcap_agent_1', 'dpcap_agent_1_2']);
    for (const one of both) {
      const { code, stdout } = await runDpcap(['agent', 'check', String(one.pid)]);
      t.match(
        { code, stdout },
        { code: 0, stdout: new RegExp(`${testpmd.prefix} +${one.pid} +dpdk-testpmd .*answers`) },
      );
    }
    const words = ['--via', 'agent', '-i', '0', '-Q', 'rx', '-w', '/dev/null'];
    const captured = await capture(testpmd, [...words, '-c', '5000000']);
    balances(t, captured);
    const queues = new Set(captured.final?.ports.filter(({ written }) => written > 0).map(({ queue }) => queue));
    t.same([...queues].sort(), [0, 1], 'of both');
    const { stderr } = await capture(testpmd, [...words, '-c', '1', '--stats', 'text']);
    t.match(stderr, new RegExp(`pid ${pid}, DPDK .* through its agent and of pid ${other.pid}`));
    for (const one of both) await isForwarding(t, one.testpmd, `pid ${one.pid}`);
  },
);
